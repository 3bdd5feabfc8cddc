/**
 * Restores the state that `SnapshotCosts.ts` left in a folder, and does nothing else: `bun bench/src/support/RestoreOnce.ts
 * FOLDER`. Nothing is compiled yet, as after a crash. Prints the milliseconds from fencing to the restored state.
 */
import { Effect } from "effect"
import { restore, servicesOf } from "./SnapshotJob.ts"

const tookMs = await Effect.runPromise(restore.pipe(Effect.provide(servicesOf(process.argv[2] ?? ""))))
process.stdout.write(`${tookMs}\n`)
