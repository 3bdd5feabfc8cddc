/**
 * How often and after which waits a commit that met another is tried again: the table's properties `commit.retry.*`, as Java
 * has them.
 *
 * Pure but for chance. A property that says nothing that is a number counts as left out: another writer's mistake must not
 * stop this one.
 */
import { Effect, Random } from "effect"
import type { StringMap } from "../spec/JsonRead.ts"

export interface CommitRetry {
  /** Attempts after the first. */
  readonly retriesMax: number
  /** Between these, waits double, each with a fifth more or less by chance: many that met do not meet again. */
  readonly waitMinMs: number
  readonly waitMaxMs: number
  /** Once the first attempt began so long ago, none is tried again, but for a second one. */
  readonly totalMsMax: number
}

/** Whatever a table says: orphan removal takes it that attempts end within an hour. */
const msMax = 30 * 60_000

/** Java's. */
const defaults: CommitRetry = { retriesMax: 4, waitMinMs: 100, waitMaxMs: 60_000, totalMsMax: msMax }

/** `retriesMax`: where the table does not say. */
export const commitRetryOf = (properties: StringMap, retriesMax = defaults.retriesMax): CommitRetry => {
  const said = (name: string, otherwise: number): number => {
    const text = properties.get(`commit.retry.${name}`)?.trim() ?? ""
    const value = Number(text)
    return text !== "" && Number.isSafeInteger(value) && value >= 0 ? value : otherwise
  }
  return {
    retriesMax: said("num-retries", retriesMax),
    waitMinMs: said("min-wait-ms", defaults.waitMinMs),
    waitMaxMs: Math.min(msMax, said("max-wait-ms", defaults.waitMaxMs)),
    totalMsMax: Math.min(msMax, said("total-timeout-ms", defaults.totalMsMax))
  }
}

/** Whether to try again after so many attempts, the first of which began so long ago. */
export const retries = ({ retriesMax, totalMsMax }: CommitRetry, attempts: number, elapsedMs: number): boolean =>
  attempts <= retriesMax && (attempts === 1 || elapsedMs <= totalMsMax)

/** How long to wait after so many attempts. */
export const retryWaitMs = ({ waitMaxMs, waitMinMs }: CommitRetry, attempts: number): Effect.Effect<number> =>
  Effect.map(Random.next, (chance) => {
    const wait = Math.min(waitMinMs * 2 ** (attempts - 1), waitMaxMs) * (0.8 + 0.4 * chance)
    return Math.min(Math.max(wait, Math.min(waitMinMs, waitMaxMs)), waitMaxMs)
  })
