/**
 * Asks one lookup's service for all shards of a task: what is asked next, when, how often, and what an end means.
 *
 * Plain loops over plain data: records come from `LookupState`, calls are started by `run/RunAskers.ts`, which also wakes
 * it when something is due. No effect runs for a record, one fiber for a call; a cache hit costs neither.
 *
 * **Guarantees**: every record gets one outcome: its call's, its deadline's, or what was thrown. A call that takes too long
 * is over when its time is, whatever it does then. **Bounds**: the policy's.
 */
import { Result } from "effect"
import type { LookupService } from "../flow/Node.ts"
import { type AnswerCache, makeAnswerCache } from "./AnswerCache.ts"
import { type Breaker, type BreakerRecord, makeBreaker } from "./Breaker.ts"
import { type ConcurrencyLimit, type ConcurrencyRecord, makeConcurrencyLimit } from "./ConcurrencyLimit.ts"
import { DueHeap } from "./DueHeap.ts"
import type { InFlight, Outcome } from "./InFlight.ts"
import { Latencies } from "./Latencies.ts"
import { Line } from "./Line.ts"
import type { FailureKind, LookupFailure } from "./Lookup.ts"
import type { AskPolicy } from "./LookupPolicy.ts"
import type { LookupStatus } from "./LookupStatus.ts"
import { makeRateLimit, type RateLimit, type RateRecord } from "./RateLimit.ts"
import { encodeRecord } from "./RecordText.ts"

/** How a call ended. */
export type CallEnd =
  | { readonly _tag: "Answer"; readonly answer: object }
  | { readonly _tag: "Answers"; readonly results: ReadonlyArray<Result.Result<object, LookupFailure>> }
  | { readonly _tag: "Failed"; readonly failure: LookupFailure }
  | { readonly _tag: "Threw"; readonly error: unknown }

export interface AskerParts {
  readonly name: string
  readonly policy: AskPolicy
  readonly declaration: LookupService["declaration"]
  /** The clock's, epoch milliseconds. */
  readonly nowMs: () => number
  /** Chance, from 0 up to 1. */
  readonly chance: () => number
  /** Starts a call and gives what interrupts it. `ended` is called once, at the earliest before this returns. */
  readonly start: (keys: ReadonlyArray<unknown>, ended: (end: CallEnd) => void) => () => void
  /** Records can leave. */
  readonly notify: () => void
  /** `wake` is due then. */
  readonly wakeAt: (atMs: number) => void
}

/** What a restart needs (protocol, rule 11). */
export interface AskerRecord {
  readonly atMs: number
  readonly breaker: BreakerRecord
  readonly concurrency: ConcurrencyRecord
  readonly rate: RateRecord
}

/** One key to ask, and the records that want its answer. */
interface Question {
  readonly key: unknown
  readonly entries: Array<InFlight>
  readonly sinceMs: number
  attempts: number
  last: LookupFailure | undefined
}

interface Call {
  readonly questions: ReadonlyArray<Question>
  readonly startedAtMs: number
  readonly era: number
  over: boolean
  cancel: (() => void) | undefined
}

/** How long the first record that can leave waits for others, so that the task wakes for many. */
const gatherMs = 5
/** An other side that wants more patience than this is asked again anyway. */
const retryAfterMsMax = 300_000
/** Refusals without an answer in between that mean everybody, not this call. */
const refusalsInRow = 100

export class Asker {
  private readonly parts: AskerParts
  private readonly policy: AskPolicy
  private readonly breaker: Breaker
  private readonly concurrency: ConcurrencyLimit
  private readonly rate: RateLimit
  private readonly cache: AnswerCache | undefined
  private readonly byKey = new Map<unknown, Question>()
  private readonly waiting = new Line<Question>()
  private readonly again = new Line<Question>()
  private readonly retries = new DueHeap<Question>()
  private readonly timeouts = new Line<Call>()
  private readonly deadlines = new Line<{ readonly entry: InFlight; readonly question: Question }>()
  private readonly latencies = new Latencies()
  private readonly counts = {
    asked: 0,
    calls: 0,
    answered: 0,
    threw: 0,
    retried: 0,
    timedOut: 0,
    cacheHits: 0,
    cacheNegativeHits: 0,
    cacheMisses: 0
  }
  private readonly failed: Record<string, number> = {}
  private held = 0
  private inFlight = 0
  private settledHeld = 0
  private notifyAtMs = Number.POSITIVE_INFINITY
  private pausedUntilMs = Number.NEGATIVE_INFINITY
  /** What keeps questions from being asked ends then. */
  private blockedUntilMs = Number.POSITIVE_INFINITY
  private refusals = 0
  private pumping = false
  private readonly calls = new Set<Call>()

  constructor(parts: AskerParts) {
    this.parts = parts
    this.policy = parts.policy
    this.breaker = makeBreaker(parts.policy.breaker)
    this.concurrency = makeConcurrencyLimit(parts.policy.concurrency)
    this.rate = makeRateLimit(parts.policy.rate)
    this.cache = parts.policy.cache === undefined ? undefined : makeAnswerCache(parts.policy.cache)
  }

  nowMs(): number {
    return this.parts.nowMs()
  }

  /** Records that it can still take. */
  room(): number {
    return this.policy.capacity - this.held
  }

  /** Room worth reading for: a source is not read record by record. */
  wantsMore(): boolean {
    return this.room() >= Math.max(1, this.policy.capacity >> 4)
  }

  /** A record came in. Nothing is asked before `pump`. */
  take(entry: InFlight): void {
    this.held++
    if (entry.outcome !== undefined) {
      this.settled(entry)
      return
    }
    const key = this.cache === undefined ? entry.key : identityOf(entry.key)
    if (this.cache !== undefined && this.fromCache(this.cache, key, entry)) return
    const open = this.byKey.get(key)
    if (open !== undefined) {
      open.entries.push(entry)
      this.watchDeadline(entry, open)
      return
    }
    const question: Question = {
      key: entry.key,
      entries: [entry],
      sinceMs: entry.enteredAtMs,
      attempts: 0,
      last: undefined
    }
    if (this.cache !== undefined) this.byKey.set(key, question)
    this.watchDeadline(entry, question)
    this.waiting.push(question)
  }

  private fromCache(cache: AnswerCache, key: unknown, entry: InFlight): boolean {
    const known = cache.get(key, entry.enteredAtMs)
    if (known === undefined) {
      this.counts.cacheMisses++
      return false
    }
    this.counts.cacheHits++
    if ("answer" in known) this.settle(entry, { _tag: "Answered", answer: known.answer })
    else {
      this.counts.cacheNegativeHits++
      this.fail(entry, known.absent, 0, entry.enteredAtMs)
    }
    return true
  }

  private watchDeadline(entry: InFlight, question: Question): void {
    if (Number.isFinite(this.policy.deadlineMs)) this.deadlines.push({ entry, question })
  }

  /** A record was passed on. */
  left(): void {
    this.held--
    this.settledHeld--
  }

  /** Starts what may be started now. */
  pump(): void {
    // a call that ends while it is started comes back here
    if (this.pumping) return
    this.pumping = true
    this.blockedUntilMs = Number.POSITIVE_INFINITY
    for (let starts = true; starts;) starts = this.startNext()
    this.pumping = false
    this.parts.wakeAt(this.nextWakeAtMs())
  }

  /** What is due: calls and records whose time is over, questions to ask again. */
  wake(): void {
    const now = this.nowMs()
    this.endCalls(now)
    this.endRecords(now)
    if (now >= this.notifyAtMs) this.notify()
    this.pump()
  }

  private nextWakeAtMs(): number {
    while (this.timeouts.first()?.over === true) this.timeouts.shift()
    while (this.deadlines.first()?.entry.outcome !== undefined) this.deadlines.shift()
    const call = this.timeouts.first()
    const record = this.deadlines.first()
    return Math.min(
      this.blockedUntilMs,
      this.notifyAtMs,
      this.retries.nextAtMs(),
      call === undefined ? Number.POSITIVE_INFINITY : call.startedAtMs + this.policy.timeoutMs,
      record === undefined ? Number.POSITIVE_INFINITY : record.entry.enteredAtMs + this.policy.deadlineMs
    )
  }

  private endCalls(now: number): void {
    const { timeoutMs } = this.policy
    for (let call = this.timeouts.first(); call !== undefined; call = this.timeouts.first()) {
      if (!call.over && now < call.startedAtMs + timeoutMs) return
      this.timeouts.shift()
      if (call.over) continue
      this.counts.timedOut++
      this.concurrency.timedOut(call.startedAtMs, now)
      const failure = this.parts.declaration.timeout(`${this.parts.name}: no answer within ${timeoutMs} ms`)
      const { cancel } = call
      this.finish(call, { _tag: "Failed", failure }, now)
      cancel?.()
    }
  }

  private endRecords(now: number): void {
    for (let first = this.deadlines.first(); first !== undefined; first = this.deadlines.first()) {
      const { entry, question } = first
      if (entry.outcome === undefined && now < entry.enteredAtMs + this.policy.deadlineMs) return
      this.deadlines.shift()
      if (entry.outcome !== undefined) continue
      const { declaration, name } = this.parts
      const text = `${name}: no answer within its deadline of ${this.policy.deadlineMs} ms`
      const made = this.breaker.state() === "open" ? declaration.unavailable(text) : declaration.timeout(text)
      this.fail(entry, question.last ?? made, question.attempts, now)
    }
  }

  /** Starts a call if one may begin; otherwise says until when not. */
  private startNext(): boolean {
    const now = this.nowMs()
    for (let due = this.retries.take(now); due !== undefined; due = this.retries.take(now)) this.again.push(due)
    if (this.policy.deadlineMs !== Number.POSITIVE_INFINITY) this.dropAbandoned()
    if (this.again.length() + this.waiting.length() === 0) return false
    if (!this.breaker.allows(now)) {
      if (this.policy.waits) this.blockedUntilMs = this.breaker.reopensAtMs()
      else this.failAll(now)
      return false
    }
    const freeAtMs = Math.max(this.pausedUntilMs, this.rate.nextAtMs(now), this.batchAtMs(now))
    if (freeAtMs > now) {
      this.blockedUntilMs = freeAtMs
      return false
    }
    if (this.inFlight >= this.concurrency.limit()) {
      this.concurrency.held()
      return false
    }
    this.start(now)
    return true
  }

  /** Questions whose records all ran out of time. */
  private dropAbandoned(): void {
    for (const line of [this.again, this.waiting]) {
      for (let first = line.first(); first !== undefined && isAbandoned(first); first = line.first()) {
        line.shift()
        this.close(first)
      }
    }
  }

  /** When a batch is full or has waited. */
  private batchAtMs(now: number): number {
    const { batch } = this.policy
    const first = this.waiting.first()
    if (batch === undefined || first === undefined || this.again.length() > 0) return now
    return this.waiting.length() >= batch.keysMax ? now : first.sinceMs + batch.waitMs
  }

  private start(now: number): void {
    const questions: Array<Question> = []
    const keysMax = this.policy.batch?.keysMax ?? 1
    while (questions.length < keysMax) {
      const question = this.again.shift() ?? this.waiting.shift()
      if (question === undefined) break
      question.attempts++
      questions.push(question)
    }
    this.rate.take(now)
    this.inFlight++
    this.counts.calls++
    this.counts.asked += questions.length
    const call: Call = { questions, startedAtMs: now, era: this.breaker.began(), over: false, cancel: undefined }
    this.calls.add(call)
    this.timeouts.push(call)
    call.cancel = this.parts.start(
      questions.map(({ key }) => key),
      (end) => this.ended(call, end)
    )
  }

  private ended(call: Call, end: CallEnd): void {
    if (call.over) return
    const now = this.nowMs()
    if (end._tag === "Answers" && end.results.length !== call.questions.length) {
      const error = new TypeError(`${end.results.length} results for ${call.questions.length} keys`)
      this.finish(call, { _tag: "Threw", error }, now)
    } else this.finish(call, end, now)
    this.pump()
  }

  private finish(call: Call, end: CallEnd, now: number): void {
    call.over = true
    this.calls.delete(call)
    this.inFlight--
    this.judge(call, end, now)
    for (let index = 0; index < call.questions.length; index++) this.tell(call.questions[index]!, end, index, now)
  }

  private tell(question: Question, end: CallEnd, index: number, now: number): void {
    if (end._tag === "Answer") this.success(question, end.answer, now)
    else if (end._tag === "Failed") this.failure(question, end.failure, now)
    else if (end._tag === "Threw") this.answer(question, { _tag: "Threw", error: end.error })
    else {
      const result = end.results[index]! // as many as questions: `ended` looked
      if (Result.isSuccess(result)) this.success(question, result.success, now)
      else this.failure(question, result.failure, now)
    }
  }

  /** What the call tells of the other side. */
  private judge(call: Call, end: CallEnd, now: number): void {
    const kind = this.kindOfCall(end)
    const before = this.breaker.state()
    if (kind === "final" || kind === "absent") {
      this.refusals = 0
      this.latencies.add(now - call.startedAtMs)
      this.concurrency.answered(now - call.startedAtMs)
      this.rate.answered(now)
      this.breaker.ended(call.era, "success", now)
    } else if (kind === "overloaded") {
      this.concurrency.refused(this.inFlight)
      this.breaker.ended(call.era, "ignored", now)
      this.refused(failureOf(end)?.retryAfterMs, now)
    } else this.breaker.ended(call.era, kind === "transient" ? "failure" : "ignored", now)
    // it is back: nobody need wait longer
    if (before === "half-open" && this.breaker.state() === "closed") {
      for (let due = this.retries.take(Infinity); due !== undefined; due = this.retries.take(Infinity))
        this.again.push(due)
    }
  }

  /** One refusal is its call's affair; many in a row, or with nothing else in flight, are everybody's. */
  private refused(retryAfterMs: number | undefined, now: number): void {
    this.refusals++
    if (retryAfterMs !== undefined) this.rate.refused(now)
    if (this.inFlight > 0 && this.refusals < refusalsInRow) return
    const pauseMs = Math.max(this.pauseMs(this.refusals), patience(retryAfterMs))
    this.pausedUntilMs = Math.max(this.pausedUntilMs, now + pauseMs)
  }

  /** What the call as a whole was: one answer in it is an answer. Undefined: it threw. */
  private kindOfCall(end: CallEnd): FailureKind | undefined {
    if (end._tag === "Answer") return "final"
    if (end._tag === "Threw") return undefined
    if (end._tag === "Failed") return this.kindOf(end.failure)
    const kinds = end.results.map((result) => (Result.isSuccess(result) ? "final" : this.kindOf(result.failure)))
    return (
      kinds.find((kind) => kind === "final" || kind === "absent") ??
      kinds.find((kind) => kind === "overloaded") ??
      kinds[0]
    )
  }

  private kindOf(failure: LookupFailure): FailureKind {
    const kind = this.parts.declaration.failures[failure._tag]
    // a failure that the service did not declare is no reason to ask for ever
    if (typeof kind !== "function") return kind ?? "final"
    try {
      return kind(failure)
    } catch {
      return "final"
    }
  }

  private success(question: Question, answer: object, now: number): void {
    if (this.cache !== undefined) this.cache.set(identityOf(question.key), { answer }, now)
    this.answer(question, { _tag: "Answered", answer })
  }

  private failure(question: Question, failure: LookupFailure, now: number): void {
    const kind = this.kindOf(failure)
    if (kind === "absent") this.cache?.set(identityOf(question.key), { absent: failure }, now)
    question.last = failure
    const again = kind === "transient" || kind === "overloaded"
    if (!again || (!this.policy.waits && question.attempts >= this.policy.attemptsMax)) {
      this.failQuestion(question, failure, now)
      return
    }
    this.counts.retried++
    const pauseMs = this.pauseMs(kind === "overloaded" ? 1 : question.attempts)
    this.retries.add(question, now + Math.max(pauseMs, patience(failure.retryAfterMs)))
  }

  /** The pause before the next call after so many that failed. */
  private pauseMs(attempts: number): number {
    const { retryFirstMs, retryLongestMs } = this.policy
    return Math.min(retryLongestMs, retryFirstMs * 2 ** (attempts - 1)) * (1 - this.parts.chance() / 2)
  }

  private failQuestion(question: Question, failure: LookupFailure, now: number): void {
    this.close(question)
    for (const entry of question.entries) this.fail(entry, failure, question.attempts, now)
  }

  private answer(question: Question, outcome: Outcome): void {
    this.close(question)
    for (const entry of question.entries) this.settle(entry, outcome)
  }

  private close(question: Question): void {
    if (this.cache !== undefined) this.byKey.delete(identityOf(question.key))
  }

  /** The breaker is open and the policy does not wait. */
  private failAll(now: number): void {
    const unavailable = this.parts.declaration.unavailable(
      `${this.parts.name}: not asked, since calls before it failed`
    )
    const next = () => this.again.shift() ?? this.waiting.shift() ?? this.retries.take(Infinity)
    for (let question = next(); question !== undefined; question = next()) {
      this.failQuestion(question, question.last ?? unavailable, now)
    }
  }

  private fail(entry: InFlight, error: LookupFailure, attempts: number, now: number): void {
    const { record } = entry
    this.settle(entry, { _tag: "Failed", failed: { _tag: error._tag, error, record, attempts, failed_at: now } })
  }

  private settle(entry: InFlight, outcome: Outcome): void {
    // its deadline came first
    if (entry.outcome !== undefined) return
    entry.outcome = outcome
    if (outcome._tag === "Answered") this.counts.answered++
    else if (outcome._tag === "Threw") this.counts.threw++
    else this.failed[outcome.failed._tag] = (this.failed[outcome.failed._tag] ?? 0) + 1
    this.settled(entry)
  }

  private settled(entry: InFlight): void {
    this.settledHeld++
    if (!entry.settled(entry)) return
    // in order, most of those that have their outcome wait for the one that came now: they leave together
    if (!this.policy.ordered && this.settledHeld >= Math.max(1, this.policy.capacity >> 4)) this.notify()
    else this.notifyAtMs = Math.min(this.notifyAtMs, this.nowMs() + gatherMs)
  }

  private notify(): void {
    this.notifyAtMs = Number.POSITIVE_INFINITY
    this.parts.notify()
  }

  /** Interrupts every call; nothing is asked any more. */
  stop(): void {
    this.pumping = true
    for (const call of this.calls) {
      call.over = true
      call.cancel?.()
    }
  }

  record(): AskerRecord {
    return {
      atMs: this.nowMs(),
      breaker: this.breaker.record(),
      concurrency: this.concurrency.record(),
      rate: this.rate.record()
    }
  }

  restore({ breaker, concurrency, rate }: AskerRecord): void {
    const now = this.nowMs()
    this.breaker.restore(breaker, now)
    this.concurrency.restore(concurrency)
    this.rate.restore(rate, now)
  }

  status(): LookupStatus {
    return {
      name: this.parts.name,
      ...this.counts,
      failed: { ...this.failed },
      cacheSize: this.cache?.size() ?? 0,
      inFlight: this.inFlight,
      held: this.held,
      waiting: this.waiting.length() + this.again.length() + this.retries.length(),
      concurrency: this.concurrency.limit(),
      breaker: this.breaker.state(),
      opened: this.breaker.opened(),
      latencyP50Ms: this.latencies.quantileMs(0.5),
      latencyP95Ms: this.latencies.quantileMs(0.95),
      latencyP99Ms: this.latencies.quantileMs(0.99)
    }
  }
}

const isAbandoned = ({ entries }: Question) => entries.every(({ outcome }) => outcome !== undefined)

/** A failure of the call, or the first one in it. */
const failureOf = (end: CallEnd): LookupFailure | undefined => {
  if (end._tag === "Failed") return end.failure
  if (end._tag !== "Answers") return undefined
  const failed = end.results.find(Result.isFailure)
  return failed?.failure
}

const patience = (retryAfterMs: number | undefined): number =>
  retryAfterMs !== undefined && retryAfterMs > 0 ? Math.min(retryAfterMs, retryAfterMsMax) : 0

/** What tells keys apart in a map: a key of several fields by its text. */
const identityOf = (key: unknown): unknown =>
  typeof key === "object" && key !== null ? JSON.stringify(encodeRecord(key as Readonly<Record<string, unknown>>)) : key
