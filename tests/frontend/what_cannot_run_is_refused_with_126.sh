# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
good=$T/good
cp "$fake_engine" "$good"

patched() { # FILE OFFSET OCTAL_BYTES: the good program with other bytes there
    cp "$good" "$T/$1"
    # shellcheck disable=SC2059
    printf "$3" | dd of="$T/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
cut() { # FILE LENGTH: only the program's first bytes
    head -c "$2" "$good" >"$T/$1"
    chmod +x "$T/$1"
}
written() { # FILE
    cat >"$T/$1"
    chmod +x "$T/$1"
}
refused() { # FILE TEXT
    run 126 "$drrun" "$T/$1"
    one_line 'drrun: ' "$T/$1" "$2"
}

run 0 "$drrun" "$good"

mkdir "$T/folder"
refused folder 'it is a directory'
mkfifo "$T/pipe"
chmod +x "$T/pipe"
refused pipe 'not a regular file'
cp "$good" "$T/plain"
chmod -x "$T/plain"
refused plain 'Permission denied'

written empty </dev/null
refused empty 'it is empty'
echo 'echo hello' | written words
refused words 'neither an ELF program nor a script'
cut magic 4
refused magic 'truncated'
cut header 60
refused header 'truncated'
cut phdrs 100
refused phdrs 'truncated (its program headers'
cut segments 8192
refused segments 'truncated (a segment'

patched arm64 18 '\267\000'
refused arm64 'not a program for x86-64 (ELF class 2, machine 183)'
patched mips 5 '\002'
refused mips 'big-endian'
patched x32 4 '\001'
refused x32 'x32'
patched object 16 '\001\000'
refused object 'object file'
patched core 16 '\004\000'
refused core 'core dump'
patched phentsize 54 '\007\000'
refused phentsize 'header is damaged'
patched phnum 56 '\000\000'
refused phnum 'header is damaged'
patched phoff 32 '\377\377\377\377\377\377\377\177'
refused phoff 'truncated'

# A dynamic program whose interpreter is not there.
for sh in /bin/sh /usr/bin/env; do
    at=$(LC_ALL=C grep -abo '/lib64/ld-linux-x86-64.so.2' "$sh" | head -n 1)
    [ "$at" ] || continue
    cp "$sh" "$good"
    patched interp "${at%%:*}" '/lib64/ld-linux-no-one'
    refused interp 'its ELF interpreter /lib64/ld-linux-no-one.so.2: No such file'
    break
done

# Scripts stand and fall with what they name.
printf '#!/bin/sh\n' | written script
run 0 "$drrun" "$T/script" x
has "argv 2 $T/script" "argv 3 $T/script" 'argv 4 x'
printf '#! /no/such/interpreter -x\n' | written missing
refused missing 'bad interpreter'
printf '#!/bin/sh\r\n' | written dos
refused dos "/bin/sh\\x0d"
printf '#!\n' | written nothing
refused nothing 'names no interpreter'
printf '#!%s\n' "$T/arm64" | written foreign
refused foreign 'not a program for x86-64'
printf '#!%s\n' "$T/loop" | written loop
refused loop 'interpreters are scripts'
printf '#!%s\n' "$T/script" | written second
run 0 "$drrun" "$T/second"
