/**
 * What can go wrong in the world, and when: faults by the number of the operation that they hit.
 *
 * A plan answers for each operation; `Port` lets it happen and keeps a list of what it did, which is itself a plan: so a
 * failing run can be repeated with fewer faults.
 */
import { makeRandom } from "../generate/Random.ts"

/** Faults by what becomes of the operation and of the process that asked for it. */
export const faultKinds = [
  /** It does not happen, and says so: out of reach, try again later. */
  "fail",
  /** It does not happen, and nobody can say. */
  "lost",
  /** It happens, but the answer is lost. */
  "kept",
  /** The answer is lost, and it happens later. */
  "late",
  /** It happens, the answer is lost, and what it went to is out of reach for a while: nobody can look. */
  "outage",
  /** A part of it happens, where the interface allows that: an object that nobody acknowledged. */
  "torn",
  /** Somebody else's change of the same thing lands just before it. */
  "conflict",
  /** It takes seconds. */
  "slow",
  /** There is no room, for a while. */
  "full",
  /** The process dies before it happens. */
  "crash-before",
  /** The process dies after it happened, before the answer. */
  "crash-after",
  /** The process dies, and it happens later. */
  "crash-late",
  /** The process stands still, another is started in its place, and it wakes up later: a zombie. */
  "freeze",
  /** Another process is started beside it: two owners. */
  "twin",
  /** The process's clock is set, forwards or back. */
  "jump",
  /** The process dies between two events: at any step. `at` counts events. */
  "crash-step"
] as const

export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  /** The number of the operation, or of the event for `crash-step`. */
  readonly at: number
  readonly kind: FaultKind
  /** How long or how far, milliseconds. */
  readonly amountMs: number
}

/** What is known of an operation before it happens. */
export interface Operation {
  readonly name: string
  /** Changes something durable. */
  readonly writes: boolean
  /** Who asks: producers are not doubled. */
  readonly role: "job" | "producer" | "upkeep"
}

export interface FaultPlan {
  readonly at: (index: number, operation: Operation) => Fault | undefined
  readonly atStep: (step: number) => Fault | undefined
}

export const noFaults: FaultPlan = { at: () => undefined, atStep: () => undefined }

/** A fault that the operation cannot have is left out, whoever planned it. */
export const possible = (kind: FaultKind, operation: Operation): boolean => {
  switch (kind) {
    case "lost":
    case "kept":
    case "late":
    case "outage":
    case "full":
    case "crash-late":
      return operation.writes
    case "torn":
      return operation.name === "storage.writeNew"
    case "conflict":
      return operation.name === "catalog.swap"
    case "freeze":
    case "twin":
      return operation.role !== "producer"
    case "crash-step":
      return false
    default:
      return true
  }
}

/** Exactly these faults. */
export const listedFaults = (faults: ReadonlyArray<Fault>): FaultPlan => {
  const byOperation = new Map(faults.filter(({ kind }) => kind !== "crash-step").map((fault) => [fault.at, fault]))
  const byStep = new Map(faults.filter(({ kind }) => kind === "crash-step").map((fault) => [fault.at, fault]))
  return {
    at: (index, operation) => {
      const fault = byOperation.get(index)
      return fault !== undefined && possible(fault.kind, operation) ? fault : undefined
    },
    atStep: (step) => byStep.get(step)
  }
}

/** Where what was done takes effect: hit more often than others. */
const commitPoints: ReadonlySet<string> = new Set(["log.commit", "catalog.swap"])
/** Nobody knows what came of it: half of what hits a commit point. */
const ambiguous: ReadonlySet<FaultKind> = new Set(["lost", "kept", "late", "outage", "crash-late"])
/** One operation in so many is hit: drawn per run, so that some runs are rough and others nearly quiet. */
const oneInChoices = [15, 40, 120, 400] as const
const faultsMaxChoices = [1, 2, 4, 8, 16] as const
const amountsMs = [3, 20, 150, 1_000, 8_000, 45_000] as const

/**
 * Faults drawn from the seed. Each run draws which kinds it has at all, how often they come and how many there are: rare
 * combinations come up that an even mixture would never make.
 */
export const seededFaults = (seed: number, kinds: ReadonlyArray<FaultKind> = faultKinds): FaultPlan => {
  const random = makeRandom(seed ^ 0x5eed)
  const chosen = kinds.filter(() => random.below(2) === 0)
  const mix = chosen.length === 0 ? kinds : chosen
  const oneIn = oneInChoices[random.below(oneInChoices.length)]!
  const writesOneIn = Math.max(4, oneIn >> 2)
  let left: number = faultsMaxChoices[random.below(faultsMaxChoices.length)]!
  const stepOneIn = mix.includes("crash-step") ? oneIn * 20 : 0
  return {
    at: (index, operation) => {
      const commits = commitPoints.has(operation.name)
      const often = commits ? writesOneIn >> 1 : operation.writes ? writesOneIn : oneIn
      if (left === 0 || random.below(often) !== 0) return undefined
      const all = mix.filter((kind) => possible(kind, operation))
      const unknown = commits && random.below(2) === 0 ? all.filter((each) => ambiguous.has(each)) : []
      const able = unknown.length === 0 ? all : unknown
      // of what leaves a commit in doubt, the one after which nobody can look finds most
      const looksAway = unknown.includes("outage") && random.below(2) === 0
      const kind = looksAway ? "outage" : able[random.below(Math.max(1, able.length))]
      if (kind === undefined) return undefined
      left--
      return { at: index, kind, amountMs: amountsMs[random.below(amountsMs.length)]! }
    },
    atStep: (step) => {
      if (stepOneIn === 0 || left === 0 || random.below(stepOneIn) !== 0) return undefined
      left--
      return { at: step, kind: "crash-step", amountMs: 0 }
    }
  }
}
