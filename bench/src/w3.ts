/**
 * W3 of the peers' workloads: W1, and per account windows of an hour, one every 5 minutes, all that have records.
 *
 * usage: bun bench/src/w3.ts FILE.ndjson. Prints one JSON object with the answer and the cost of the whole process.
 */
import { Window } from "@frazil/engine"
import { runWindows } from "./support/Windows.ts"

await runWindows("w3", Window.hopping("1 hour", { every: "5 minutes", allowedLateness: "0s" }), 1)
