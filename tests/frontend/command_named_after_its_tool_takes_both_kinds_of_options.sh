# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
drmemory=$T/tree/bin/drmemory
make_listed_tool drmemory <<'EOF'
# finds memory errors
light - no uninitialized reads, no leaks
suppress FILE suppression file
quiet - print nothing
EOF

run 0 "$drmemory" -light -suppress s.txt -stats -- sh
has "config tool=$tools/libdrmemory.so" 'config toolarg=-light' 'config toolarg=-suppress' 'config toolarg=s.txt' \
    'config stats=1' 'argv 3 sh'

# An option of both sets both.
run 0 "$drmemory" -quiet sh
has 'config toolarg=-quiet' 'config quiet=1'

run 2 "$drmemory" -lihgt sh
one_line 'drmemory: there is no option -lihgt; did you mean -light?'
run 2 "$drmemory" -statz sh
one_line 'did you mean -stats?'

run 0 "$drmemory" -help
for text in 'usage: drmemory' '-light' '-cache_max SIZE'; do
    grep -qF -e "$text" "$T/out" || fail "-help lacks '$text'"
done
run 0 "$drmemory" -version
grep -q '^drmemory (drtools) [0-9]' "$T/out" || fail 'no version'
