# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

# exit(42), by hand: mov $1,%eax; mov $42,%ebx; int $0x80
{
    printf '\177ELF\001\001\001\000\000\000\000\000\000\000\000\000\002\000\003\000\001\000\000\000\124\200\004\010'
    printf '\064\000\000\000\000\000\000\000\000\000\000\000\064\000\040\000\001\000\000\000\000\000\000\000'
    printf '\001\000\000\000\000\000\000\000\000\200\004\010\000\200\004\010\140\000\000\000\140\000\000\000'
    printf '\005\000\000\000\000\020\000\000\270\001\000\000\000\273\052\000\000\000\315\200'
} >"$T/prog"
chmod +x "$T/prog"
"$T/prog"
[ $? = 42 ] || skip 'this kernel does not run i386 programs'

run 42 "$drrun" -t one -- "$T/prog"
one_line 'drrun: ' "$T/prog runs natively" 'i386'

# Not one byte with -quiet or without a tool; the log has it all the same.
run 42 "$drrun" -quiet -logdir "$T/logs" -t one -- "$T/prog"
silent
grep -q i386 "$T"/logs/* || fail 'no note in the log'
run 42 "$drrun" "$T/prog"
silent

# The interpreter of a script decides.
printf '#!%s\n' "$T/prog" >"$T/script"
chmod +x "$T/script"
run 42 "$drrun" -t one -- "$T/script"
one_line 'i386'
