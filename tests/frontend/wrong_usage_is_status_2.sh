# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

bad() { # WANTED_TEXT WORDS...
    text=$1
    shift
    run 2 "$drrun" "$@"
    one_line 'drrun: ' "$text"
}
bad 'no program' -quiet
bad 'no program' --
bad 'no program' -t one
bad 'no program' -t one -x --
bad '-cache_max needs a value' -cache_max
bad '-cache_max takes a size' -cache_max lots sh
bad '-cache_max takes a size' -cache_max -5 sh
bad '-cache_max takes a size' -cache_max 5MB sh
bad '-cache_max takes a size' -cache_max 99999999999G sh
bad '-trace_threshold takes a number' -trace_threshold 1K sh
bad '-trace_threshold takes a number' -trace_threshold= sh
bad '-trace_threshold takes a number' -trace_threshold 99999999999999999999 sh
bad '-color is one of auto|always|never' -color blue sh
bad '-quiet must be 0 or 1' -quiet=yes sh
bad '-help=x takes no value' -help=x
bad '-log takes SUBJECT' -log '' sh
bad 'there is no option -reg' -reg sh

# The name alone: how it is used, on standard error.
for name in drrun drconfig drmemory drprof; do
    run 2 "$T/tree/bin/$name"
    [ -s "$T/out" ] && fail "$name: usage on standard output"
    grep -q "^usage: $name " "$T/err" || fail "$name: no usage"
done
