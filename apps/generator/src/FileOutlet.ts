/**
 * An outlet that writes NDJSON: one record a line, in the order in which they were generated.
 *
 * The app uses it for `--out`. **Delivery**: a flush writes whole lines, even when interrupted; a file that cannot be
 * written ends the generator. **Bounds**: what one group of records takes.
 */
import { Effect, FileSystem, type PlatformError, type Scope } from "effect"
import type { Outlet } from "@frazil/sim"
import { GeneratorError } from "./GeneratorError.ts"

const recordsMax = 10_000
const bytesInitial = 1 << 20
const lineFeed = 10

/** Opens `path` anew: what it held is gone. */
export const makeFileOutlet = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Outlet<GeneratorError>, GeneratorError, FileSystem.FileSystem | Scope.Scope> {
  const failed = (cause: PlatformError.PlatformError) =>
    new GeneratorError({ message: `${path} cannot be written (${cause.reason._tag}): choose another --out`, cause })
  const fs = yield* FileSystem.FileSystem
  const file = yield* Effect.mapError(fs.open(path, { flag: "w" }), failed)
  let bytes = new Uint8Array(bytesInitial)
  let used = 0
  let waiting = 0
  let delivered = 0

  const write = Effect.gen(function* () {
    if (waiting === 0) return
    yield* Effect.mapError(file.writeAll(bytes.subarray(0, used)), failed)
    delivered += waiting
    waiting = 0
    used = 0
  })
  // a line is written whole or not at all
  const flush = Effect.uninterruptible(write)
  return {
    partitions: 1,
    awaitRoom: Effect.sync(() => recordsMax - waiting),
    add: (_, record) => {
      if (used + record.length + 1 > bytes.length) {
        const grown = new Uint8Array(bytes.length * 2)
        grown.set(bytes.subarray(0, used))
        bytes = grown
      }
      bytes.set(record.bytes.subarray(0, record.length), used)
      used += record.length
      bytes[used++] = lineFeed
      waiting++
    },
    flush,
    drain: Effect.andThen(flush, Effect.mapError(file.sync, failed)),
    status: () => ({
      delivered,
      buffered: waiting,
      state: "delivering",
      failures: 0,
      problem: undefined,
      nextAttemptMs: undefined
    }),
    run: Effect.never
  }
})
