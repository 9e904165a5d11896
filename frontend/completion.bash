# bash completion for drtools. The lines that start with #@ are replaced, when
# drtools is built, by what the table of options says.

_drtools_reply()
{
    mapfile -t COMPREPLY < <(compgen "$@" -- "${COMP_WORDS[COMP_CWORD]}")
}

# The first words of the lines of a list, such as -help prints them.
_drtools_listed()
{
    "${COMP_WORDS[0]}" "$@" 2>/dev/null | awk '/^  [^ ]/ { print $1 }'
}

# The program's own arguments, from word $1 on.
_drtools_program()
{
    if declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD == $1)); then
        _drtools_reply -c -f
    else
        _drtools_reply -f
    fi
}

# The value of option $1. False: it takes none.
_drtools_value()
{
    case $1 in
    -t) _drtools_reply -W "$(_drtools_listed -t)" ;;
#@values
    *) return 1 ;;
    esac
}

_drtools()
{
    local options tool='' i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -t) tool=${COMP_WORDS[i + 1]} ;;
        --)
            _drtools_program $((i + 1))
            return ;;
        esac
    done
    _drtools_value "${COMP_WORDS[COMP_CWORD - 1]}" && return

    case ${COMP_WORDS[0]##*/} in
    drconfig)
#@options drconfig
        ;;
    drrun)
#@options drrun
        ;;
    *) options=$(_drtools_listed -help) ;;
    esac
    [[ $tool ]] && options="-t $(_drtools_listed -t "$tool" -help)"

    case ${COMP_WORDS[COMP_CWORD]} in
    -*) _drtools_reply -W "$options --" ;;
    *) _drtools_reply -c -f ;;
    esac
}

complete -o filenames -o bashdefault -F _drtools drrun drconfig drmemory drprof
