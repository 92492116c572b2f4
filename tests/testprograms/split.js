// Spends its CPU 60 : 30 : 10 in three functions, by fixed iteration counts.
'use strict';

let sink = 1;

function spin(rounds) {
  let x = sink;
  for (let i = 0; i < rounds; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  sink = x;
}

function sortRows() { spin(6000); sink++; }
function hashRows() { spin(3000); sink++; }
function writeRows() { spin(1000); sink++; }
function runQuery() { sortRows(); hashRows(); writeRows(); sink++; }

const end = Date.now() + 1000 * Number(process.argv[2]);
while (Date.now() < end) runQuery();
