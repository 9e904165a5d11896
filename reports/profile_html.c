/* SPDX-License-Identifier: BSD-3-Clause */
/* A page that needs nothing else: a flame graph to zoom into, a table to sort, the source with counts. Its data
 * is JSON in a script element, its program is below. */
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "memory.h"
#include "profile.h"
#include "source.h"

enum { SMALLEST = 20000, MAX_SOURCES = 20, MAX_TABLE = 3000 };   /* frames below total/SMALLEST are not drawn */

/* The tree of the flame graph: one node a path of function names. */
struct flame { const char *name; uint32_t child, sibling; uint64_t self, all; };
struct flames { struct flame *f; size_t n, room; };

static uint32_t
flame_child(struct flames *t, uint32_t parent, const char *name)
{
    for (uint32_t i = t->f[parent].child; i; i = t->f[i].sibling)
        if (t->f[i].name == name)
            return i;
    GROW(t->f, t->n, t->room);
    t->f[t->n] = (struct flame){.name = name, .sibling = t->f[parent].child};
    t->f[parent].child = (uint32_t)t->n;
    return (uint32_t)t->n++;
}

static void
flame_add(void *context, const struct profile_frame *frame, size_t n, uint64_t count)
{
    struct flames *t = context;
    uint32_t at = 0;

    t->f[0].all += count;
    for (size_t i = 0; i < n; i++) {
        at = flame_child(t, at, frame[i].function);
        t->f[at].all += count;
    }
    t->f[at].self += count;
}

/* [name, cost, self, [children]], written without recursion in C's sense being deep: paths are bounded by what is drawn. */
static void
write_flame(FILE *out, const struct flames *t, uint32_t i, uint64_t least, unsigned depth)
{
    json_t *name = json_text(t->f[i].name);
    char *text = json_dumps(name, JSON_ENCODE_ANY);
    bool first = true;

    for (const char *s = text; *s; s++)
        *s == '<' ? fputs("\\u003c", out) : fputc(*s, out);
    fprintf(out, ",%llu,%llu,[", (unsigned long long)t->f[i].all, (unsigned long long)t->f[i].self);
    for (uint32_t c = depth < 500 ? t->f[i].child : 0; c; c = t->f[c].sibling)
        if (t->f[c].all >= least) {
            fputs(first ? "[" : ",[", out);
            write_flame(out, t, c, least, depth + 1);
            fputc(']', out);
            first = false;
        }
    fputc(']', out);
    free(text);
    json_decref(name);
}

static void
write_json_value(FILE *out, json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

    for (const char *s = text; *s; s++)
        *s == '<' ? fputs("\\u003c", out) : fputc(*s, out);
    free(text);
    json_decref(v);
}

static json_t *
table_of(struct profile *p)
{
    json_t *rows = json_array();
    uint32_t *order = profile_ranking(p, false);

    for (size_t i = 0; i < p->n_functions && i < MAX_TABLE; i++) {
        const struct profile_function *f = &p->functions[order[i]];
        if (!f->inclusive)
            continue;
        json_array_append_new(rows, json_pack("[o, I, I, I, o, i, o]", json_text(f->name), (json_int_t)f->self, (json_int_t)f->inclusive, (json_int_t)f->calls,
                                              json_text(f->file ? f->file : ""), (int)f->line, json_text(f->module == PROFILE_NONE ? "" : p->modules[f->module].path)));
    }
    free(order);
    return rows;
}

struct source { const char *file; uint64_t self; };

static int
by_self(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    return x->self < y->self ? 1 : x->self > y->self ? -1 : strcmp(x->file, y->file);
}

/* [file, [[line, count, text], …]] */
static json_t *
one_source(const char *file, const struct profile_line *lines, size_t n)
{
    json_t *rows = json_array();
    uint64_t *count = NULL;
    size_t n_count = 0;

    for (size_t i = 0; i < n; i++)
        if (lines[i].file == file && lines[i].line < 1u << 20) {
            if (lines[i].line >= n_count) {
                size_t more = lines[i].line + 256;
                count = realloc(count, more * sizeof *count);
                if (!count)
                    abort();
                memset(count + n_count, 0, (more - n_count) * sizeof *count);
                n_count = more;
            }
            count[lines[i].line] += lines[i].self;
        }
    for (unsigned l = 1, quiet = 0; l < n_count; l++) {
        bool near = false;
        for (unsigned k = l > 6 ? l - 6 : 0; k <= l + 6 && k < n_count; k++)
            near |= count[k] != 0;
        if (!near) {
            quiet = 1;
            continue;
        }
        char *text = source_line(file, l);
        if (!text)
            break;
        if (quiet)
            json_array_append_new(rows, json_pack("[i, i, s]", 0, 0, "…"));
        quiet = 0;
        json_array_append_new(rows, json_pack("[i, I, o]", (int)l, (json_int_t)count[l], json_text(text)));
        free(text);
    }
    free(count);
    return json_pack("[o, o]", json_text(file), rows);
}

static json_t *
sources_of(struct profile *p)
{
    json_t *all = json_array();
    size_t n, n_files = 0, room = 0;
    struct profile_line *lines = profile_lines(p, &n);
    struct source *files = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        if (!lines[i].file || !lines[i].line)
            continue;
        while (k < n_files && files[k].file != lines[i].file)
            k++;
        if (k == n_files) {
            GROW(files, n_files, room);
            files[n_files++] = (struct source){.file = lines[i].file};
        }
        files[k].self += lines[i].self;
    }
    if (n_files)
        qsort(files, n_files, sizeof *files, by_self);
    for (size_t i = 0; i < n_files && json_array_size(all) < MAX_SOURCES; i++) {
        json_t *one = one_source(files[i].file, lines, n);
        if (json_array_size(json_array_get(one, 1)))
            json_array_append(all, one);
        json_decref(one);
    }
    source_forget();
    free(files);
    free(lines);
    return all;
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>drprof</title>\n<style>\n"
    "body{font:13px system-ui,sans-serif;margin:0 16px 40px;color:#222;background:#fff}h1{font-size:18px;margin:14px 0 2px}h2{font-size:15px;margin:22px 0 6px}\n"
    "#flame{position:relative;border:1px solid #ddd;overflow:hidden;background:#fafafa}#flame div{position:absolute;height:17px;line-height:17px;overflow:hidden;\n"
    "white-space:nowrap;text-overflow:ellipsis;box-sizing:border-box;border-right:1px solid #fff;border-bottom:1px solid #fff;padding:0 3px;font-size:11px;cursor:pointer}\n"
    "#flame div.dim{opacity:.25}#tip{min-height:18px;color:#555;margin:4px 0}input{font:inherit;padding:2px 6px;width:260px}\n"
    "table{border-collapse:collapse;width:100%}th{cursor:pointer;text-align:right;border-bottom:2px solid #ccc;padding:3px 8px;position:sticky;top:0;background:#fff}\n"
    "td{padding:2px 8px;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}td.l,th.l{text-align:left;white-space:normal}tr:hover td{background:#f4f7ff}\n"
    ".bar{display:inline-block;height:9px;background:#e0662f;margin-right:6px}.rows{max-height:480px;overflow:auto;border:1px solid #ddd}\n"
    "pre{margin:0;font:12px/1.35 ui-monospace,monospace}.src td{border:0;padding:0 8px}.src td:last-child{text-align:left}.n{color:#999}button{font:inherit}\n"
    "@media(prefers-color-scheme:dark){body{background:#1c1c1e;color:#ddd}th{background:#1c1c1e}#flame{background:#222}td{border-color:#333}tr:hover td{background:#2a2d38}#flame div{color:#111}}\n"
    "</style></head><body>\n<h1 id=\"title\"></h1><div id=\"sum\"></div>\n"
    "<h2>Flame graph</h2><input id=\"find\" placeholder=\"highlight (regular expression)\"> <button id=\"reset\">whole program</button><div id=\"tip\"></div><div id=\"flame\"></div>\n"
    "<h2>Functions</h2><div class=\"rows\"><table id=\"table\"><thead></thead><tbody></tbody></table></div>\n"
    "<h2>Source</h2><select id=\"files\"></select><div class=\"rows\"><table class=\"src\" id=\"source\"></table></div>\n<script>\n";

static const char program[] =
    "'use strict';const $=i=>document.getElementById(i),H=17,fmt=n=>n.toLocaleString('en'),pct=n=>(100*n/D.total).toFixed(2)+'%';\n"
    "$('title').textContent=D.command;$('sum').textContent=fmt(D.total)+' '+D.unit+' in process '+D.pid;document.title='drprof: '+D.command;\n"
    "let root=D.flame,path=[root],find=null;\n"
    "function colour(s){let h=0;for(let i=0;i<s.length;i++)h=(h*31+s.charCodeAt(i))|0;return 'hsl('+(10+Math.abs(h)%45)+','+(70+Math.abs(h>>8)%25)+'%,'+(62+Math.abs(h>>16)%14)+'%)'}\n"
    "function depthOf(n){let m=0;for(const c of n[3])m=Math.max(m,depthOf(c));return m+1}\n"
    "function draw(){const f=$('flame'),w=f.clientWidth;f.textContent='';const frag=document.createDocumentFragment();const base=path.length-1;\n"
    "const put=(n,x,wide,y,way)=>{const d=document.createElement('div');d.style.left=x+'px';d.style.top=y*H+'px';d.style.width=Math.max(wide,1)+'px';d.style.background=colour(n[0]);\n"
    "if(wide>18)d.textContent=n[0];d.title=n[0]+'\\n'+fmt(n[1])+' ('+pct(n[1])+'), self '+fmt(n[2]);if(find&&!find.test(n[0]))d.className='dim';\n"
    "d.onmouseenter=()=>{$('tip').textContent=n[0]+': '+fmt(n[1])+' ('+pct(n[1])+'), self '+fmt(n[2])};d.onclick=()=>{path=way;draw()};frag.appendChild(d)};\n"
    "for(let i=0;i<base;i++)put(path[i],0,w,i,path.slice(0,i+1));\n"
    "const go=(n,x,wide,y,way)=>{if(wide<1)return;put(n,x,wide,y,way);let at=x;for(const c of [...n[3]].sort((a,b)=>a[0]<b[0]?-1:1)){const cw=wide*c[1]/n[1];go(c,at,cw,y+1,way.concat([c]));at+=cw}};\n"
    "const top=path[base];go(top,0,w,base,path);f.style.height=(base+depthOf(top))*H+'px';f.appendChild(frag)}\n"
    "$('reset').onclick=()=>{path=[root];draw()};$('find').oninput=e=>{try{find=e.target.value?new RegExp(e.target.value):null}catch(x){find=null}draw()};window.onresize=draw;\n"
    "const cols=[['self',1],['self %',1],['inclusive',2],['inclusive %',2],['calls',3],['function',0],['file',4],['module',6]];let by=1,down=true;\n"
    "function rows(){const h=$('table').tHead,b=$('table').tBodies[0];h.textContent='';b.textContent='';const tr=h.insertRow();\n"
    "cols.forEach(([t,k],i)=>{const th=document.createElement('th');th.textContent=t+(by===k&&!t.includes('%')?(down?' \\u25be':' \\u25b4'):'');if(i>4)th.className='l';th.onclick=()=>{down=by===k?!down:typeof D.table[0][k]==='number';by=k;rows()};tr.appendChild(th)});\n"
    "const s=[...D.table].sort((x,y)=>(x[by]<y[by]?-1:x[by]>y[by]?1:0)*(down?-1:1));\n"
    "for(const r of s.slice(0,1000)){const t=b.insertRow();[fmt(r[1]),pct(r[1]),fmt(r[2]),pct(r[2]),fmt(r[3]),r[0],r[4]?r[4].split('/').pop()+':'+r[5]:'',r[6].split('/').pop()].forEach((v,i)=>{const c=t.insertCell();\n"
    "if(i===1){const s=document.createElement('span');s.className='bar';s.style.width=60*r[1]/D.total+'px';c.appendChild(s);c.appendChild(document.createTextNode(v))}else c.textContent=v;if(i>4)c.className='l'})}}\n"
    "function show(i){const t=$('source');t.textContent='';if(!D.sources[i])return;for(const[l,n,x]of D.sources[i][1]){const r=t.insertRow();r.insertCell().textContent=n?fmt(n):'';r.insertCell().textContent=n?pct(n):'';\n"
    "const c=r.insertCell();c.className='n';c.textContent=l||'';const p=document.createElement('pre');p.textContent=x;r.insertCell().appendChild(p);if(n)r.style.background='rgba(224,102,47,'+Math.min(.6,.06+2*n/D.total)+')'}}\n"
    "D.sources.forEach((s,i)=>{const o=document.createElement('option');o.value=i;o.textContent=s[0];$('files').appendChild(o)});$('files').onchange=e=>show(e.target.value);\n"
    "draw();rows();show(0);\n</script></body></html>\n";

void
profile_write_html(struct profile *p, FILE *out)
{
    struct flames t = {0};

    GROW(t.f, t.n, t.room);
    t.f[t.n++] = (struct flame){.name = strings_keep(p->strings, "all")};
    profile_each_stack(p, flame_add, &t);
    fputs(head, out);
    fputs("const D={command:", out);
    write_json_value(out, json_text(p->command));
    fprintf(out, ",pid:%u,unit:\"%s\",total:%llu,flame:[", p->pid, p->unit, (unsigned long long)p->total);
    write_flame(out, &t, 0, p->total / SMALLEST, 0);
    fputs("],\ntable:", out);
    write_json_value(out, table_of(p));
    fputs(",\nsources:", out);
    write_json_value(out, sources_of(p));
    fputs("};\n", out);
    fputs(program, out);
    free(t.f);
}
