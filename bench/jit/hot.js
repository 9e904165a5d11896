// SPDX-License-Identifier: BSD-3-Clause
// Hot loops of V8's optimised code: integers, doubles, objects, calls. Prints the same in every run.
function integers(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + (i ^ (s >>> 7))) | 0; return s; }
function doubles(n) { const a = new Float64Array(1000); for (let k = 0; k < n; k++) for (let i = 0; i < 1000; i++) a[i] = a[i] * 0.5 + i; return a[999]; }
function objects(n) { let kept = [], s = 0; for (let i = 0; i < n; i++) { kept.push({ x: i, y: i * 2 }); if (kept.length > 1000) { s += kept[7].y % 13; kept = []; } } return s; }
class Shape { area() { return 1; } }
class Square extends Shape { area() { return super.area() + 3; } }
class Circle { area() { return 3; } }
function calls(n) { const shapes = [new Shape, new Square, new Circle]; let s = 0; for (let i = 0; i < n; i++) s += shapes[i % 3].area(); return s; }
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
const works = { integers: () => integers(4e8), doubles: () => doubles(2e6), objects: () => objects(5e7), calls: () => calls(8e8), fib: () => fib(41) };
console.log(works[process.argv[2]]());
