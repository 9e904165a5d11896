# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"
make_tool one

run 0 "$drrun" --cache-max=64K --no-follow-children --trace_threshold 9 -color=always --t one sh
has 'config cache_max=65536' 'config follow=0' 'config trace_threshold=9' 'config color=1' "config tool=$tools/libone.so"

run 0 "$drrun" -follow_children=0 -traces=1 sh
has 'config follow=0'
lacks 'config traces'
