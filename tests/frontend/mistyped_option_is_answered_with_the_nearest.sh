# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/lib.sh"

nearest() {
    run 2 "$drrun" "$1" sh
    one_line 'drrun: ' "there is no option $1" "did you mean $2?"
}
nearest -quite -quiet
nearest -log_dir -logdir
nearest --cachemax -cache_max
nearest -follow_childs -follow_children
nearest -no_folow_children -no_follow_children
nearest -trace_treshold -trace_threshold
nearest -verison -version
nearest -h -help
nearest -trace_t -trace_threshold

# What resembles nothing is not answered with a guess.
run 2 "$drrun" -xyzzyplugh sh
one_line 'there is no option -xyzzyplugh' '-help'

# A word with control characters is still one line.
run 2 "$drrun" "-a
b" sh
one_line '\x0a'
