/** Claims under load, with unknown ids, over a database that hangs, dies, is slow or locked. Nothing is lost. */
import { openPostgres } from "@frazil/connect"
import { Clock, Effect } from "effect"
import { runApp } from "../Process.ts"
import { found, type Scale, type Scenario } from "../Scenario.ts"
import { readTopic, type Value } from "../Topics.ts"
import { type ClaimsSystem, signalAll, startClaims, stopPaying } from "./ClaimsSystem.ts"

const claimsCount = 10_000
/** In the short form, all that is told is that it does not hang: how fast it is depends on the machine. */
const recoverMsMax: Readonly<Record<Scale, number>> = { full: 5_000, short: 30_000 }
const p95MsMax: Readonly<Record<Scale, number>> = { full: 100, short: 1_000 }
const rssBytesMax = 500 * 1024 * 1024
/** Of the likely hits: a payment on a claim that is just being asked for misses, and on a slow machine many are. */
const hitsMin: Readonly<Record<Scale, number>> = { full: 0.8, short: 0.5 }

const statusesOf = (failed: ReadonlyArray<Value>): string => {
  const counts = new Map<string, number>()
  for (const { enrichment_status } of failed) {
    counts.set(String(enrichment_status), (counts.get(String(enrichment_status)) ?? 0) + 1)
  }
  return counts.size === 0 ? "none" : [...counts].map(([status, count]) => `${count} ${status}`).join(", ")
}

const only = (failed: ReadonlyArray<Value>, ...statuses: ReadonlyArray<string>) =>
  failed.every(({ enrichment_status }) => statuses.includes(String(enrichment_status)))

const allFound: Scenario = {
  name: "claims-found",
  about: "2,000 payments a second, nearly all on claims that there are",
  run: Effect.fnUntraced(function* (scale) {
    const system = yield* startClaims(claimsCount)
    const payments = yield* system.pay(2_000)
    yield* Effect.sleep(scale === "full" ? 60_000 : 8_000)
    yield* stopPaying(payments)
    const p95Ms = 1000 * (yield* system.p95Seconds)
    const { enriched, failed, findings, payments: all } = yield* system.finish
    const share = enriched.length / all.length
    return [
      ...findings,
      found(share > 0.95, `${(share * 100).toFixed(1)} % are enriched, more than 95`),
      found(only(failed, "CLAIM_NOT_FOUND"), `failed: ${statusesOf(failed)}`),
      found(
        p95Ms > 0 && p95Ms < p95MsMax[scale],
        `95 % of lookups take at most ${p95Ms.toFixed(1)} ms, below ${p95MsMax[scale]}`
      )
    ]
  })
}

const unknown: Scenario = {
  name: "claims-unknown",
  about: "payments of which three in ten name claims that do not exist",
  run: Effect.fnUntraced(function* (scale) {
    const system = yield* startClaims(claimsCount)
    const payments = yield* system.pay(1_000, "--unknown-share", "0.3")
    yield* Effect.sleep(scale === "full" ? 20_000 : 5_000)
    yield* stopPaying(payments)
    const { enriched, failed, findings } = yield* system.finish
    const right =
      failed.every(({ claim_id }) => String(claim_id).startsWith("CX")) &&
      enriched.every(({ claim_id }) => String(claim_id).startsWith("CL"))
    return [...findings, found(right && only(failed, "CLAIM_NOT_FOUND"), `failed: ${statusesOf(failed)}`)]
  })
}

/** Breaks the database, waits for the breaker, mends it, and takes the time until a payment is enriched again. */
const breakAndMend = Effect.fnUntraced(function* (
  system: ClaimsSystem,
  broken: Effect.Effect<void>,
  mended: Effect.Effect<void>,
  scale: Scale
) {
  const payments = yield* system.pay(200)
  yield* system.until("answered_total", (answered) => answered > 200)
  yield* broken
  yield* system.until("breaker_state", (state) => state === 2)
  yield* Effect.sleep(scale === "full" ? 20_000 : 3_000)
  const answered = yield* system.lookup("answered_total")
  yield* mended
  const mendedAt = yield* Clock.currentTimeMillis
  yield* system.until("answered_total", (now) => now > answered)
  const tookMs = (yield* Clock.currentTimeMillis) - mendedAt
  yield* Effect.sleep(2_000)
  yield* stopPaying(payments)
  return [
    found((yield* system.lookup("breaker_opened_total")) > 0, "the breaker opens, and closes again"),
    found(
      tookMs < recoverMsMax[scale],
      `payments are enriched again ${(tookMs / 1000).toFixed(1)} s after its return, within ${recoverMsMax[scale] / 1000}`
    )
  ]
})

const hanging: Scenario = {
  name: "claims-hang",
  about: "PostgreSQL stands still for a while (SIGSTOP)",
  run: Effect.fnUntraced(function* (scale) {
    const system = yield* startClaims(claimsCount)
    const stop = signalAll(system.server, "SIGSTOP")
    const go = signalAll(system.server, "SIGCONT")
    const kept = yield* breakAndMend(system, stop, go, scale).pipe(Effect.ensuring(go))
    const { failed, findings } = yield* system.finish
    const right = only(failed, "DB_TIMEOUT", "DB_ERROR", "CLAIM_NOT_FOUND")
    const timedOut = failed.some(({ enrichment_status }) => enrichment_status === "DB_TIMEOUT")
    return [...findings, ...kept, found(right && timedOut, `failed: ${statusesOf(failed)}`)]
  })
}

const gone: Scenario = {
  name: "claims-down",
  about: "PostgreSQL is killed, comes back, and what failed meanwhile is sent again",
  run: Effect.fnUntraced(function* (scale) {
    const system = yield* startClaims(claimsCount)
    const kill = signalAll(system.server, "SIGKILL")
    const kept = yield* breakAndMend(system, kill, system.server.start, scale)
    const failed = yield* readTopic(system.folder.data, "failed-payments")
    const errors = failed.filter(({ enrichment_status }) => enrichment_status === "DB_ERROR")
    const redrive = ["topics", "redrive", "failed-payments", "--where", "enrichment_status=DB_ERROR"]
    yield* runApp("cli", [...redrive, "--data", system.folder.data], system.folder.path)
    const { enriched, findings } = yield* system.finish
    const ids = new Set(enriched.map(({ payment_id }) => payment_id))
    // payments on claims that do not exist had failed before anybody could say so
    const left = errors.filter(({ claim_id, payment_id }) => String(claim_id).startsWith("CL") && !ids.has(payment_id))
    return [
      ...findings.slice(0, 1),
      ...kept,
      found(
        errors.length > 0 && only(failed, "DB_ERROR", "DB_TIMEOUT", "CLAIM_NOT_FOUND"),
        `failed: ${statusesOf(failed)}`
      ),
      found(left.length === 0, `${errors.length} DB_ERROR are sent again, ${left.length} of them not enriched then`),
      found(ids.size === enriched.length, `${enriched.length} payments are enriched, each once`)
    ]
  })
}

const locked: Scenario = {
  name: "claims-slow",
  about: "another session holds the table locked: queries take longer than patience lasts",
  run: Effect.fnUntraced(function* (scale) {
    const system = yield* startClaims(claimsCount)
    const other = yield* openPostgres("claims", { kind: "postgres", url: system.server.url, pool: 1 }, 120_000)
    const forSeconds = scale === "full" ? 20 : 8
    const lock = other
      .query(`DO $$ BEGIN LOCK TABLE claims IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(${forSeconds}); END $$`)
      .pipe(Effect.forkScoped, Effect.asVoid)
    const payments = yield* system.pay(200)
    yield* system.until("answered_total", (answered) => answered > 200)
    yield* lock
    yield* system.until("timeouts_total", (timeouts) => timeouts > 0)
    const answered = yield* system.lookup("answered_total")
    yield* system.until("answered_total", (now) => now > answered)
    yield* stopPaying(payments)
    const { failed, findings } = yield* system.finish
    const timedOut = failed.some(({ enrichment_status }) => enrichment_status === "DB_TIMEOUT")
    return [...findings, found(timedOut, `failed: ${statusesOf(failed)}`)]
  })
}

const slow: Scenario = {
  name: "claims-backpressure",
  about: "more payments than a slow database can answer: they wait in the log, and memory stays flat",
  run: Effect.fnUntraced(function* (scale) {
    const system = yield* startClaims(claimsCount)
    const admin = yield* openPostgres("claims", { kind: "postgres", url: system.server.url, pool: 1 }, 60_000)
    yield* admin.query("ALTER TABLE claims RENAME TO claims_fast")
    yield* admin.query("CREATE VIEW claims AS SELECT f.* FROM claims_fast f, (SELECT pg_sleep(0.5)) s")
    const payments = yield* system.pay(2_000)
    yield* Effect.sleep(scale === "full" ? 60_000 : 10_000)
    const held = yield* system.lookup("held")
    const peak = system.pipeline.peakBytes()
    yield* stopPaying(payments)
    yield* admin.query("DROP VIEW claims")
    yield* admin.query("ALTER TABLE claims_fast RENAME TO claims")
    const { failed, findings } = yield* system.finish
    return [
      ...findings,
      found(held > 0 && held <= 1_000, `${held} payments are held at a time, at most 1,000`),
      found(peak < rssBytesMax, `${Math.round(peak / 2 ** 20)} MB at most, below 500`),
      found(only(failed, "CLAIM_NOT_FOUND"), `failed: ${statusesOf(failed)}`)
    ]
  })
}

/** One run with a cache of so many claims. */
const cached = Effect.fnUntraced(function* (entries: number, scale: Scale) {
  const system = yield* startClaims(claimsCount, "--claims-cache", `${entries}`)
  const payments = yield* system.pay(2_000)
  yield* Effect.sleep(scale === "full" ? 30_000 : 6_000)
  yield* stopPaying(payments)
  // the likely share of hits is that of all payments
  yield* system.drained
  const [hits, misses, size] = [
    yield* system.lookup("cache_hits_total"),
    yield* system.lookup("cache_misses_total"),
    yield* system.lookup("cache_entries")
  ]
  const peak = system.pipeline.peakBytes()
  const { failed, findings, payments: all } = yield* system.finish
  const share = hits + misses === 0 ? 0 : hits / (hits + misses)
  // every claim is as likely: with room for all of them, all but the first payment on each hits
  const asked = claimsCount * (1 - Math.exp(-all.length / claimsCount))
  const likely = entries >= claimsCount ? 1 - asked / all.length : entries / claimsCount
  const told = `a cache of ${entries}: ${size} kept, ${(share * 100).toFixed(1)} % hits of ${(likely * 100).toFixed(1)} likely, ${Math.round(peak / 2 ** 20)} MB at most`
  return [
    ...findings,
    found(size <= entries && share >= likely * hitsMin[scale] && share <= likely + 0.1 && peak < rssBytesMax, told),
    found(only(failed, "CLAIM_NOT_FOUND"), `failed: ${statusesOf(failed)}`)
  ]
}, Effect.scoped)

const caches: Scenario = {
  name: "claims-caches",
  about: "2,000 payments a second with no cache, a small one, and one for every claim",
  run: (scale) =>
    Effect.map(
      Effect.forEach([0, 1_000, 100_000], (entries) => cached(entries, scale)),
      (runs) => runs.flat()
    )
}

export const claims: ReadonlyArray<Scenario> = [allFound, unknown, hanging, gone, locked, slow, caches]
