/**
 * Decides when fraud scenarios start and hands out their steps when they are due. Transactions asks it once a record.
 *
 * **Guarantees**: `share` of all records are steps, soon after the start and at R2.3's rates; above 10,000 records a
 * second about a hundredth are. An account has one scenario at a time. **Bounds**: the more steps wait, the shorter the
 * pauses of new scenarios; with every account busy none starts, and what is owed stops growing.
 */
import type { Account } from "./Accounts.ts"
import { atNight, fraudLabels, type FraudStep, planFraud } from "./Fraud.ts"
import type { Random } from "./Random.ts"

export interface FraudSchedule {
  /** The step to emit as the next record, or undefined for an ordinary one. Call it exactly once for each record. */
  readonly next: (nowMs: number) => FraudStep | undefined
}

/** A scenario that is owed starts with the next record one time in this many: starts look random, yet share holds. */
const startOneIn = 40
const accountTriesMax = 8
/** Steps that can be owed at most, so that a busy hour is not made up for in the quiet one after it. */
const owedMax = 60
/** With this many steps waiting, new scenarios have pauses of half their length. */
const waitingAtHalfPace = 100
/** An account rests so long after a scenario, so that two can be told apart. Scaled like the pauses. */
const restMs = 60_000

const dayLabels = fraudLabels.filter((label) => label !== "night_withdrawal")

const makeWaiting = () => {
  /** Latest first, so that the next due is popped from the end. */
  const steps: Array<FraudStep> = []
  const insert = (step: FraudStep) => {
    let low = 0
    let high = steps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (steps[middle]!.dueMs > step.dueMs) low = middle + 1
      else high = middle
    }
    steps.splice(low, 0, step)
  }
  return {
    insert,
    length: () => steps.length,
    takeDue: (nowMs: number) => (steps.length > 0 && steps.at(-1)!.dueMs <= nowMs ? steps.pop() : undefined)
  }
}

/** Makes a schedule; `share` in [0, 0.5] is the part of records that are fraud, 0 for none. */
export const makeFraudSchedule = (accounts: ReadonlyArray<Account>, share: number, random: Random): FraudSchedule => {
  const waiting = makeWaiting()
  const busyUntil = new Float64Array(accounts.length).fill(-Infinity)
  // steps owed so far minus steps planned
  let owed = 0

  const freeAccount = (nowMs: number): number => {
    for (let tries = 0; tries < accountTriesMax; tries++) {
      const account = random.below(accounts.length)
      if (busyUntil[account]! <= nowMs) return account
    }
    return -1
  }
  const start = (nowMs: number): void => {
    const account = freeAccount(nowMs)
    if (account < 0) return
    const labels = atNight(accounts[account]!, nowMs) ? fraudLabels : dayLabels
    const label = labels[random.below(labels.length)]!
    const timeScale = 1 / (1 + waiting.length() / waitingAtHalfPace)
    const steps = planFraud(label, accounts, account, nowMs, timeScale, random)
    busyUntil[account] = steps.at(-1)!.dueMs + restMs * timeScale
    owed -= steps.length
    // from the last on: steps due in the same millisecond keep their order
    for (let index = steps.length - 1; index >= 0; index--) waiting.insert(steps[index]!)
  }
  return {
    next: (nowMs) => {
      if (share === 0) return undefined
      owed = Math.min(owed + share, owedMax)
      if (owed > 0 && random.below(startOneIn) === 0) start(nowMs)
      return waiting.takeDue(nowMs)
    }
  }
}
