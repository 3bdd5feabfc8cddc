/**
 * Frees what batches leave behind before it has doubled a thread's memory.
 *
 * Batches live a moment, but one that is in work while young objects are collected counts as old, and old ones are looked at
 * only when the heap has doubled; each thread has a heap of its own. The main thread of a pipeline and its threads run this
 * beside their work. **Bounds**: `garbageBytesMax`, or a third of what is in use, whichever is more. A heap of very many
 * objects takes long to look through, and is left to the runtime; as is everything where a runtime collects by itself alone.
 */
import { Effect } from "effect"

export interface Memory {
  /** Bytes of objects, and of buffers that objects hold. */
  readonly used: () => { readonly heapBytes: number; readonly bufferBytes: number }
  /** Frees all that nobody can reach; undefined: the runtime does not let itself be asked. */
  readonly collect: (() => void) | undefined
}

const lookEveryMs = 100
const garbageBytesMax = 48 * 1_048_576
const inUseShare = 3
/** Some tens of milliseconds to look through. */
const heapBytesMax = 128 * 1_048_576

const memoryOfProcess = (): Memory => {
  // Bun's own global has it; elsewhere there is no such global
  const { Bun: runtime } = globalThis as { readonly Bun?: { readonly gc: (now: boolean) => void } }
  return {
    used: () => {
      const { external, heapUsed } = process.memoryUsage()
      return { heapBytes: heapUsed, bufferBytes: external }
    },
    collect: runtime === undefined ? undefined : () => runtime.gc(true)
  }
}

/** For ever, beside others. */
export const collectInTime = (memory: Memory = memoryOfProcess()): Effect.Effect<never> => {
  const { collect, used } = memory
  if (collect === undefined) return Effect.never
  /** What was in use when it was least since. */
  let inUse = Number.POSITIVE_INFINITY
  const look = Effect.sync(() => {
    const { bufferBytes, heapBytes } = used()
    inUse = Math.min(inUse, bufferBytes)
    if (bufferBytes - inUse < Math.max(garbageBytesMax, inUse / inUseShare)) return
    if (heapBytes - bufferBytes > heapBytesMax) return
    collect()
    inUse = used().bufferBytes
  })
  return Effect.forever(Effect.andThen(Effect.sleep(lookEveryMs), look))
}
