/* SPDX-License-Identifier: BSD-3-Clause */
/* Parsing the command line.
 * The words before APP are read from left to right, once. A tool that lists
 * its options (TOOL.opt) has them checked here, and APP is then the first word
 * that is not an option. For one that does not, nobody but the tool knows
 * which words are values, so `--` must end them. */
#include "command_line.h"

#include <string.h>

#include "nearest.h"

struct parser {
    const struct command *cmd;
    const struct install *in;
    char **next; /* the word to be read; NULL at the end */
    struct command_line *out;
    struct error *err;
    bool done; /* an action such as -help was asked for: the rest does not matter */
};

static bool
is_option(const char *word)
{
    return word && word[0] == '-' && word[1] && strcmp(word, "--") != 0;
}

static bool
is_tool_option(const struct command *cmd, const char *word)
{
    struct option_word o;

    return is_option(word) && option_read(cmd->options, word, &o) && o.id == OPT_TOOL;
}

static void
add_spellings(struct words *known, const char *name, enum shape shape)
{
    words_add(known, name);
    if (shape == SHAPE_FLAG)
        words_add(known, keep_printf("no_%s", name));
}

/* `tool` NULL: not behind a tool's name. */
static bool
unknown_option(struct parser *p, const struct tool *tool, const char *word)
{
    const char *command = p->cmd->name, *problem, *close;
    struct words known = {0};

    for (size_t i = 0; tool && i < tool->n; i++)
        add_spellings(&known, tool->options[i].name, tool->options[i].shape);
    for (int i = 0; i < OPT_COUNT; i++)
        if ((!tool || p->cmd->tool) && (options[i].commands & p->cmd->options))
            add_spellings(&known, options[i].name, options[i].shape);

    if (tool && !p->cmd->tool) {
        command = keep_printf("%s -t %s", command, tool->name);
        problem = keep_printf("the tool %s has no option %s", tool->name, word);
    } else {
        problem = keep_printf("there is no option %s", word);
    }
    close = nearest(option_name(word), &known);
    if (close)
        return error_set(p->err, STATUS_USAGE, "%s; did you mean -%s?", problem, close);
    return error_set(p->err, STATUS_USAGE, "%s; %s -help lists them", problem, command);
}

/* The value of the option just read: after its '=', or the next word. */
static const char *
take_value(struct parser *p, const char *word, const char *inline_value, const char *arg)
{
    if (inline_value)
        return inline_value;
    if (*p->next)
        return *p->next++;
    error_set(p->err, STATUS_USAGE, "%s needs a value: %s", word, arg);
    return NULL;
}

static bool
finish_with(struct parser *p, enum action action)
{
    p->out->action = action;
    p->done = true;
    return true;
}

/* A tool's option that TOOL.opt lists: passed on in one spelling, its value as a word of its own. */
static bool
read_listed_option(struct parser *p, struct tool_use *use, const struct tool_option *o, bool on)
{
    const char *word = *p->next++;
    const char *value = option_inline_value(word);

    if (!o->arg) {
        if (value)
            return error_set(p->err, STATUS_USAGE, "%s takes no value", word);
        words_add(&use->args, keep_printf("-%s%s", on ? "" : "no_", o->name));
        return true;
    }
    value = take_value(p, word, value, o->arg);
    if (!value || !value_check(o->shape, o->arg, keep_printf("-%s", o->name), value, p->err))
        return false;
    words_add(&use->args, keep_printf("-%s", o->name));
    words_add(&use->args, value);
    return true;
}

static bool read_option(struct parser *p);

/* One option behind the tool's name. In a command that is named after its tool
 * the user need not know whose an option is, and one that both have sets both. */
static bool
read_tool_option(struct parser *p, struct tool_use *use)
{
    char *word = *p->next;
    struct option_word ours;
    const struct tool_option *listed;
    bool on, known;

    known = option_read(p->cmd->options, word, &ours) && (p->cmd->tool || ours.id == OPT_HELP);
    listed = tool_option_find(&use->tool, word, &on);
    if (listed) {
        char **again = p->next;

        if (!read_listed_option(p, use, listed, on))
            return false;
        if (!known || (options[ours.id].shape == SHAPE_FLAG) != !listed->arg)
            return true;
        p->next = again;
        return read_option(p);
    }
    if (known && ours.id == OPT_HELP && !p->cmd->tool) {
        p->out->asked_about = use->tool;
        return finish_with(p, ACTION_TOOL_HELP);
    }
    if (known)
        return read_option(p);
    if (use->tool.described)
        return unknown_option(p, &use->tool, word);
    words_add(&use->args, word);
    p->next++;
    return true;
}

/* The words from behind a tool's name to APP, "--" or the next -t. */
static bool
read_tool_words(struct parser *p, struct tool_use *use)
{
    while (!p->done && *p->next && strcmp(*p->next, "--") != 0 && !is_tool_option(p->cmd, *p->next)) {
        if (is_option(*p->next)) {
            if (!read_tool_option(p, use))
                return false;
        } else if (use->tool.described || !use->args.n) {
            return true;
        } else {
            words_add(&use->args, *p->next++);
        }
    }
    if (!p->done && !*p->next && use->args.n && !use->tool.described && p->cmd->options == FOR_DRRUN)
        return error_set(p->err, STATUS_USAGE, "write -- between the options of the tool %s and the program",
                         use->as);
    return true;
}

static bool
read_tool(struct parser *p, const char *name)
{
    struct tool tool;

    return tool_find(&tool, p->in, name, p->err) &&
           read_tool_words(p, settings_add_tool(&p->out->settings, &tool, name));
}

static bool
read_option(struct parser *p)
{
    const char *word = *p->next++;
    struct option_word o;
    const char *value;

    if (!option_read(p->cmd->options, word, &o))
        return unknown_option(p, NULL, word);
    if (options[o.id].shape == SHAPE_ACTION && o.value)
        return error_set(p->err, STATUS_USAGE, "%s takes no value", word);

    switch (o.id) {
    case OPT_HELP: return finish_with(p, ACTION_HELP);
    case OPT_VERSION: return finish_with(p, ACTION_VERSION);
    case OPT_TOOL:
        if (!o.value && !*p->next)
            return finish_with(p, ACTION_LIST_TOOLS);
        break;
    case OPT_LIST: p->out->settings.value[OPT_LIST] = "1"; return true;
    default: break;
    }

    value = take_value(p, word, o.value, options[o.id].arg);
    if (!value)
        return false;
    if (o.id == OPT_TOOL)
        return read_tool(p, value);
    return settings_set(&p->out->settings, o.id, keep_printf("-%s", options[o.id].name), value, p->err);
}

bool
command_line_parse(const struct command *cmd, const struct install *in, char **words,
                   struct command_line *out, struct error *err)
{
    struct parser p = {.cmd = cmd, .in = in, .next = words, .out = out, .err = err};

    memset(out, 0, sizeof *out);
    if (cmd->tool && !read_tool(&p, cmd->tool))
        return false;
    while (!p.done && is_option(*p.next))
        if (!read_option(&p))
            return false;
    if (*p.next && strcmp(*p.next, "--") == 0)
        p.next++;
    out->app = p.next;
    return true;
}
