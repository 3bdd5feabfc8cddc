// State folders in memory, with the faults of a disk: a byte that turns, no room any more, no right to write.
import { Effect } from "effect"
import { Job } from "../../src/index.ts"
import { type StateFile, StateFolder, type StateFolderShape } from "../../src/store/StateFolder.ts"
import { StoreError } from "../../src/store/StoreError.ts"
import { runToEnd } from "./Harness.ts"

export interface MemoryFolder extends StateFolderShape {
  /** By path. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Called before each read and each append; throws, or turns bytes. */
  fault: (call: "make" | "append" | "read", path: string) => "damage" | undefined
}

const full = () => new StoreError({ reason: "Full", message: "no room" })
const refused = () => new StoreError({ reason: "Refused", message: "no right to write" })

/** Fails as a disk without room from the nth append on; `times` of them. */
export const fullFrom = (nth: number, times = Number.POSITIVE_INFINITY): MemoryFolder["fault"] => {
  let appends = 0
  return (call) => {
    if (call === "append" && ++appends >= nth && appends < nth + times) throw full()
    return undefined
  }
}

/** Turns a byte of what the nth read gives. */
export const damagedAt = (nth: number): MemoryFolder["fault"] => {
  let reads = 0
  return (call) => (call === "read" && ++reads === nth ? "damage" : undefined)
}

export const notWritable: MemoryFolder["fault"] = (call) => {
  if (call === "make") throw refused()
  return undefined
}

export const memoryFolder = (sealed = false): MemoryFolder => {
  const files = new Map<string, Uint8Array>()
  const makeFile = (path: string): StateFile => {
    if (files.has(path)) throw new Error(`${path} is there already`)
    let bytes = new Uint8Array(1024)
    let used = 0
    files.set(path, bytes.subarray(0, 0))
    return {
      append: (more, length) => {
        folder.fault("append", path)
        if (used + length > bytes.length) {
          const wider = new Uint8Array(2 * (used + length))
          wider.set(bytes.subarray(0, used))
          bytes = wider
        }
        bytes.set(more.subarray(0, length), used)
        used += length
        files.set(path, bytes.subarray(0, used))
      },
      read: (into, length, position) => {
        if (position + length > used) throw new Error(`${path} has ${used} bytes, read up to ${position + length}`)
        into.set(bytes.subarray(position, position + length))
        if (folder.fault("read", path) === "damage") into[length >> 1]! ^= 1
      },
      discard: () => files.delete(path)
    }
  }
  const folder: MemoryFolder = {
    files,
    sealed,
    fault: () => undefined,
    make: (path) => {
      folder.fault("make", path)
      return { place: path, create: (name) => makeFile(`${path}/${name}`) }
    },
    remove: (path) => {
      for (const file of files.keys()) if (file.startsWith(`${path}/`)) files.delete(file)
    }
  }
  return folder
}

/** Runs with the state on disk in that folder. */
export const on =
  (folder: MemoryFolder) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.provideService(self, StateFolder, folder)

/** Runs a job to the end on a folder; how it ended, and how often it started over since a block was not what was written. */
export const endOn = <R>(folder: MemoryFolder, job: Job.Job<string, R>, options: Partial<Job.RunOptions>) =>
  Effect.gen(function* () {
    let damaged = 0
    const observer: Job.TaskObserver = {
      ...Job.monitor(),
      troubled: (_, message) => {
        if (message.includes("is not what was written")) damaged++
      }
    }
    const exit = yield* Effect.exit(runToEnd(job, { ...options, observer }).pipe(on(folder)))
    return { exit, damaged }
  })

/** The same on one of which the nth read gives another byte, which must not keep the job from its end. */
export const endOnDamaged = <R>(nth: number, job: Job.Job<string, R>, options: Partial<Job.RunOptions>) =>
  Effect.gen(function* () {
    const folder = memoryFolder()
    folder.fault = damagedAt(nth)
    const { damaged, exit } = yield* endOn(folder, job, options)
    yield* exit
    return damaged
  })
