// SPDX-License-Identifier: BSD-3-Clause
// A program with much inlining, for agree_with_addr2line.sh to compile in several ways.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace sample {
struct Item {
    std::string name;
    std::vector<int> values;
    std::map<std::string, std::shared_ptr<Item>> children;
};

static int total;

static inline int
mix(int a, int b)
{
    return a * 31 + (b ^ (a >> 3));
}

static inline int
walk(const Item &item)
{
    int sum = 0;

    for (int v : item.values)
        sum = mix(sum, v);
    for (auto &child : item.children)
        sum += walk(*child.second);
    return sum;
}

int
run(int n)
{
    std::map<std::string, Item> items;

    for (int i = 0; i < n; i++) {
        std::ostringstream name;

        name << "n" << i;
        Item &item = items[name.str()];
        item.name = name.str();
        item.values.push_back(i);
        item.children["k"] = std::make_shared<Item>(item);
        std::sort(item.values.begin(), item.values.end(), std::greater<int>());
    }
    for (auto &p : items)
        total += walk(p.second);
    return total;
}
} // namespace sample

namespace {
struct Local {
    int times(int x) const { return x * 7; }
};
} // namespace

extern "C" int
plain(int a)
{
    return sample::mix(a, a + 1);
}

int
main(int argc, char **argv)
{
    Local local;
    auto f = [&](int y) { return local.times(y) + argc; };

    std::cout << sample::run(argc) + f(argc) * f(plain(argc)) << argv[0] << "\n";
}
