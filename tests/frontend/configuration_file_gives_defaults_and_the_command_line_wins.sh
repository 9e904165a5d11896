# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one
make_tool two
cp "$fake_engine" "$T/prog"
mkdir -p "$user_conf" "$global_conf"
cat >"$global_conf/prog.conf" <<'EOF'
# for all users

cache_max=1M
trace_threshold = 5
follow_children=0
tool=two
EOF
cat >"$user_conf/prog.conf" <<'EOF'
cache_max=2M
tool=one
toolarg=-a
toolarg=b%0Ac%25
EOF

# The user's file comes before the one for all; tools are taken over together.
run 0 "$drrun" "$T/prog"
has 'config cache_max=2097152' 'config trace_threshold=5' 'config follow=0' "config tool=$tools/libone.so" \
    'config toolarg=-a' 'config toolarg=b%0Ac%25' 'config reg=prog'
lacks 'libtwo' 'config norun'

run 0 "$drrun" -cache_max 3M -follow_children -t two "$T/prog"
has 'config cache_max=3145728' 'config trace_threshold=5' "config tool=$tools/libtwo.so"
lacks 'libone' 'toolarg' 'config follow'

run 0 "$drrun" -no_conf "$T/prog"
lacks 'cache_max' 'config tool' 'config reg'

# Other programs are not touched by it, but the engine hears of the name.
run 0 "$drrun" sh
lacks 'cache_max' 'config tool'
has 'config reg=prog'

# XDG_CONFIG_HOME moves the folder, unless it is relative.
mkdir -p "$T/xdg/drtools"
echo 'cache_max=7' >"$T/xdg/drtools/prog.conf"
run 0 env XDG_CONFIG_HOME="$T/xdg" "$drrun" "$T/prog"
has 'config cache_max=7'
run 0 env XDG_CONFIG_HOME=xdg "$drrun" "$T/prog"
has 'config cache_max=2097152'

# norun: children of that name are not followed; asked for by name it is run all the same.
echo 'norun=1' >"$user_conf/ssh.conf"
echo 'norun=1' >"$global_conf/prog.conf"
run 0 "$drrun" "$T/prog"
has 'config norun=ssh' 'config reg=prog' # the user's word counts
lacks 'config norun=prog'
rm "$user_conf/prog.conf"
run 0 "$drrun" "$T/prog"
has 'config norun=ssh' 'config norun=prog' 'argv 0 drengine'
