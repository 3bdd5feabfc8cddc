/**
 * W2 of the peers' workloads: W1, and per account tumbling windows of 5 minutes with more than 500 records.
 *
 * usage: bun bench/src/w2.ts FILE.ndjson. Prints one JSON object with the answer and the cost of the whole process.
 */
import { Window } from "@frazil/engine"
import { runWindows } from "./support/Windows.ts"

await runWindows("w2", Window.tumbling("5 minutes", { allowedLateness: "0s" }), 501)
