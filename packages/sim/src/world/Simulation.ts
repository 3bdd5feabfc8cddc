/**
 * One run of a scenario: producers and the job's process in a world that fails, started again as a supervisor would, until
 * everything has gone through; then judged.
 *
 * `Sim.run` calls it. What was durable when the run began is given, so that the same code also makes the undisturbed run.
 */
import { Decoder, type Topic } from "@frazil/core"
import { type Job, Log } from "@frazil/engine"
import { Cause, type Context, Effect, Exit } from "effect"
import { makeRandom } from "../generate/Random.ts"
import { differences, outcomeOf } from "./check/Outcome.ts"
import { checkCounts, checkpointsRoot, snapshotsInForce, totalsOf, watchLog } from "./check/LogChecks.ts"
import { highestTimes } from "./check/HighestTimes.ts"
import { watchTables, type TableChecks } from "./check/TableChecks.ts"
import { type Durable, makeDurable } from "./Durable.ts"
import type { Fault, FaultPlan, Operation } from "./Fault.ts"
import { jobProgram } from "./JobProgram.ts"
import { packKept } from "./log/KeptRecord.ts"
import { connectLog } from "./log/FaultyLog.ts"
import { type Caller, type Door, openDoor, Port } from "./Port.ts"
import { batchesOf, produce } from "./ProducerProgram.ts"
import { disorder, drawRhythm, drawUpkeep, type Rhythm, type Scenario, type UpkeepRhythm } from "./Scenario.ts"
import { processContext, startProgram } from "./SeededScheduler.ts"
import { orphanAgeMs, tidyProgram, upkeepProgram } from "./UpkeepProgram.ts"
import { type SimProcess, World } from "./World.ts"

const stepsMax = 600_000
const hoursMax = 48
const restartMsMax = 2_000
const batchRecordsChoices = [1, 4, 16] as const
const operationsMaxChoices = [4, 32, 256, 2048] as const

/** Reasons for which a process may end by itself when the world is rough: a person or a supervisor starts it again. */
const passingReasons = new Set(["Unavailable", "OutcomeUnknown", "Full", "Fenced", "CommitConflict"])

export interface SimulationOptions {
  readonly seed: number
  readonly plan: FaultPlan
  /** No delays, no disorder, no faults. */
  readonly calm: boolean
  /** At most so many records of each input. */
  readonly recordsMax: number
  readonly keepsTrace: boolean
  /** Instead of what the seed draws. */
  readonly rhythm?: Rhythm
  /** Producers send in order, each record once, and nobody tidies up. */
  readonly orderly?: boolean
}

export interface SimulationResult {
  readonly violations: ReadonlyArray<string>
  readonly injected: ReadonlyArray<Fault>
  readonly traceHash: string
  readonly trace: ReadonlyArray<string>
  readonly steps: number
  /** What passed the door, by the numbers that faults go by. */
  readonly operations: ReadonlyArray<Operation>
  readonly processes: number
  readonly records: number
  readonly rows: number
}

interface Feeding {
  readonly name: string
  readonly topic: Scenario["input"][number]["topic"]
  readonly batches: ReturnType<typeof batchesOf>
  readonly present: boolean
  ended: boolean
}

export class Simulation<R> {
  private readonly scenario: Scenario<R>
  private readonly options: SimulationOptions
  private readonly world: World
  private readonly port: Port
  private readonly durable: Durable
  private readonly rhythm: Rhythm
  private readonly upkeep: UpkeepRhythm
  private readonly operationsMax: number
  private readonly apart: boolean
  private readonly violations: Array<string> = []
  private readonly feeds: ReadonlyArray<Feeding>
  private readonly tables: TableChecks
  /** Processes of the job that have not ended: one, and zombies. */
  private readonly running = new Set<SimProcess>()
  private current: SimProcess | undefined
  private succeeded = false
  private processes = 0

  constructor(scenario: Scenario<R>, options: SimulationOptions, durable: Durable = makeDurable()) {
    this.scenario = scenario
    this.options = options
    this.durable = durable
    const { calm, keepsTrace, seed } = options
    this.world = new World({ seed, calm, keepsTrace })
    const random = makeRandom(seed ^ 0xc0de)
    const drawnRhythm = drawRhythm(random)
    this.upkeep = drawUpkeep(random)
    this.rhythm = options.rhythm ?? drawnRhythm
    this.operationsMax = operationsMaxChoices[random.below(operationsMaxChoices.length)]!
    // drawn by itself, so that the rest of a seed's world is what it was
    this.apart = !calm && makeRandom(seed ^ 0xa9a7).below(2) === 0
    this.port = new Port(
      this.world,
      options.plan,
      {
        crash: (process) => this.crash(process),
        freeze: (process, forMs) => this.freeze(process, forMs),
        twin: (process) => this.world.after(0, () => this.startBeside(process))
      },
      calm
    )
    const batchMax = batchRecordsChoices[random.below(batchRecordsChoices.length)]!
    // in an undisturbed run all input is there from the start
    this.feeds = (calm ? [] : scenario.input).map(({ deletes, present = false, records, topic }, index) => {
      const drawn = records(makeRandom(seed * 31 + index)).slice(0, options.recordsMax)
      const lines = options.orderly === true ? drawn : disorder(drawn, random)
      return {
        name: `producer-${topic.name}`,
        topic,
        batches: batchesOf(topic, lines, batchMax, deletes),
        present,
        ended: false
      }
    })
    const violated = (what: string) => {
      this.violations.push(what)
      this.world.note(`VIOLATED ${what}`)
    }
    // read for its topics only
    const times = highestTimes(scenario.job as Job.Job<string, unknown>, durable.log)
    watchLog(durable.log, durable.storage, times, violated)
    const outside = this.callerOf(this.world.startProcess("checks"), "job")
    this.tables = watchTables(scenario.landings, durable, outside, violated)
    durable.storage.nowMs = () => this.world.nowMs
    durable.storage.removing = (uri) => {
      if (this.tables.isReferenced(uri)) violated(`${uri} was removed, and a table names it`)
      const named = snapshotsInForce(durable.log, durable.storage)
      if (uri.startsWith(checkpointsRoot) && named.has(uri.slice(checkpointsRoot.length))) {
        violated(`${uri} was removed, and a record in force names it`)
      }
    }
  }

  run(): SimulationResult {
    const { world } = this
    const bounds = { stepsMax, hoursMax }
    const before = this.feeds.filter(({ present }) => present)
    for (const feed of before) this.startFeed(feed, openDoor)
    world.runUntil(() => before.every(({ ended }) => ended), bounds)
    world.beforeStep = () => this.port.step(() => this.current)
    for (const feed of this.feeds) if (!feed.present) this.startFeed(feed)
    this.startJob()
    for (let index = 0; index < this.upkeep.processes; index++) this.startUpkeep()
    if (!world.runUntil(() => this.violations.length > 0 || this.over(), bounds)) {
      this.violations.push(
        `it did not end: ${world.steps} steps, ${this.running.size} processes run, the last ${this.succeeded ? "succeeded" : "did not"}`
      )
    }
    // what is still under way lands now, or never
    if (this.violations.length === 0) world.runUntil(() => false, bounds)
    if (this.violations.length === 0) this.tidy()
    if (this.violations.length === 0) this.judge()
    const { hash, lines } = world.trace()
    return {
      violations: this.violations,
      injected: this.port.injected,
      traceHash: hash,
      trace: lines,
      steps: world.steps,
      operations: this.port.operations,
      processes: this.processes,
      records: this.feeds.reduce(
        (sum, { batches }) => sum + batches.flat().reduce((n, each) => n + each.records.length, 0),
        0
      ),
      rows: this.tables.rows()
    }
  }

  private over(): boolean {
    return this.succeeded && this.running.size === 0
  }

  private judge(): void {
    if (this.options.calm) return
    this.tables.atEnd()
    const { log, storage } = this.durable
    const undisturbed = makeDurable()
    let undecodable = 0
    for (const { deletes, topic } of this.scenario.input) {
      const kept = log.topics.get(topic.name)
      if (kept === undefined) continue
      undisturbed.log.topics.set(topic.name, {
        info: kept.info,
        partitions: kept.partitions.map(({ end, records }) => ({ start: 0, end, records: [...records] }))
      })
      const sent = this.feeds.find((feed) => feed.topic === topic)?.batches.flat() ?? []
      const expected = sent.reduce((sum, { records }) => sum + records.length, 0)
      const appended = kept.partitions.reduce((sum, { end }) => sum + end, 0)
      const decoder = Decoder.make(topic as unknown as Topic<unknown>) // read through its shape only
      for (const { records } of kept.partitions) {
        const written = deletes === undefined ? records : records.filter(({ value }) => value.length > 0)
        undecodable += decoder.decode(packKept(written)).failures.length
      }
      if (expected !== appended) this.violations.push(`topic ${topic.name}: ${appended} records, ${expected} were sent`)
    }
    const { deadLetters, job } = this.scenario
    const violated = (what: string) => void this.violations.push(what)
    checkCounts(log, job.name, deadLetters.topic.name, undecodable, violated)
    this.violations.push(
      ...this.scenario.check(
        (name) => log.topics.get(name)?.partitions.map(({ records }) => records) ?? [],
        (name) => totalsOf(log, job.name, name)
      )
    )
    // what landed was held against the log already
    const calm = new Simulation(
      { ...this.scenario, landings: [] },
      { ...this.options, calm: true, plan: { at: () => undefined, atStep: () => undefined }, keepsTrace: false },
      undisturbed
    )
    const { violations } = calm.run()
    for (const violation of violations) this.violations.push(`without any fault: ${violation}`)
    const scenario = this.scenario as unknown as Scenario<unknown> // read for its topics and tables only
    this.violations.push(
      ...differences(outcomeOf(scenario, log, storage), outcomeOf(scenario, undisturbed.log, undisturbed.storage))
    )
  }

  private callerOf(process: SimProcess, role: Operation["role"]): Caller {
    const seed = this.options.seed * 1_000_003 + process.number
    return { process, role, context: processContext(this.world, process, seed) }
  }

  private start<A, E, S>(
    name: string,
    role: Operation["role"],
    program: (caller: Caller) => Effect.Effect<A, E, S>,
    ended: (process: SimProcess, exit: Exit.Exit<A, E>) => void
  ): SimProcess {
    this.processes++
    const process = this.world.startProcess(name)
    const caller = this.callerOf(process, role)
    this.world.note(`start ${name}#${process.number}`)
    startProgram(
      this.world,
      process,
      caller.context as Context.Context<S>, // programs bring their services with them
      this.options.calm ? 2048 : this.operationsMax,
      program(caller),
      (exit) => {
        process.alive = false
        this.world.note(`end ${name}#${process.number} ${exit._tag}`)
        ended(process, exit)
      }
    )
    return process
  }

  private startFeed(feed: Feeding, door: Door = this.port): void {
    this.start(
      feed.name,
      "producer",
      (caller) =>
        produce(feed.topic, feed.batches).pipe(
          Effect.provideService(Log, connectLog(this.world, door, caller, this.durable.log))
        ),
      (_process, exit) => {
        if (Exit.isSuccess(exit)) feed.ended = true
        else {
          // its own opening that landed late may have fenced it
          this.judgeExit(feed.name, exit.cause)
          this.restartFeed(feed)
        }
      }
    )
  }

  private startJob(): void {
    const door = this.options.calm ? openDoor : this.port
    const process = this.start(
      "job",
      "job",
      (caller) =>
        jobProgram(
          this.world,
          door,
          caller,
          this.durable,
          this.scenario,
          this.rhythm,
          (topic) => this.feeds.every((feed) => feed.ended || feed.topic.name !== topic),
          this.apart
        ),
      (ended, exit) => {
        this.running.delete(ended)
        if (Exit.isSuccess(exit)) this.succeeded ||= ended === this.current
        else {
          this.judgeExit("job", exit.cause)
          if (ended === this.current) this.restartJob()
        }
      }
    )
    this.running.add(process)
    this.current = process
    this.succeeded = false
  }

  /** A process of upkeep; what it could not do it leaves to the next. */
  private startUpkeep(): void {
    const { landings } = this.scenario
    const { calm, orderly } = this.options
    if (calm || orderly === true || landings.length === 0) return
    this.start(
      "upkeep",
      "upkeep",
      (caller) => upkeepProgram(this.port, caller, this.durable, landings, this.upkeep, () => this.over()),
      (_process, exit) => {
        if (Exit.isFailure(exit)) this.judgeExit("upkeep", exit.cause)
      }
    )
  }

  /** Long after the end: orphan removal takes what nothing names, and nothing else. */
  private tidy(): void {
    const { world } = this
    const { landings } = this.scenario
    if (this.options.calm || this.options.orderly === true || landings.length === 0) return
    world.nowMs += orphanAgeMs * 2
    let tidied: ReadonlySet<string> | undefined
    this.start(
      "tidy",
      "upkeep",
      (caller) => tidyProgram(openDoor, caller, this.durable, landings),
      (_process, exit) => {
        if (Exit.isFailure(exit)) this.judgeExit("tidying up", exit.cause)
        tidied = Exit.isSuccess(exit) ? exit.value : new Set()
      }
    )
    world.runUntil(() => tidied !== undefined, { stepsMax: world.steps + stepsMax, hoursMax })
    for (const table of tidied ?? []) {
      const [left] = this.tables.unnamed(table)
      if (left !== undefined) this.violations.push(`table ${table}: ${left} is named by nothing, and was left`)
    }
  }

  /** Another process in the place of one that stands still, or beside it. */
  private startBeside(process: SimProcess): void {
    if (process.name === "upkeep") this.startUpkeep()
    else this.startJob()
  }

  private restartJob(): void {
    this.current = undefined
    this.world.after(this.world.random.below(restartMsMax), () => {
      if (this.current === undefined) this.startJob()
    })
  }

  private crash(process: SimProcess): void {
    this.world.kill(process)
    if (this.running.delete(process)) {
      if (process === this.current) this.restartJob()
      return
    }
    if (process.name === "upkeep") {
      this.world.after(this.world.random.below(restartMsMax), () => this.startUpkeep())
      return
    }
    const feed = this.feeds.find(({ name }) => name === process.name)
    if (feed !== undefined) this.restartFeed(feed)
  }

  private restartFeed(feed: Feeding): void {
    this.world.after(this.world.random.below(restartMsMax), () => this.startFeed(feed))
  }

  private freeze(process: SimProcess, forMs: number): void {
    process.frozenUntilMs = this.world.nowMs + forMs
    if (process === this.current || process.name === "upkeep") {
      this.world.after(this.world.random.below(100), () => this.startBeside(process))
    }
  }

  /** A process may end by what the world did to it, never by a bug or by damage that nobody did. */
  private judgeExit(name: string, cause: Cause.Cause<unknown>): void {
    for (const reason of cause.reasons) {
      if (Cause.isInterruptReason(reason)) continue
      const error: unknown = Cause.isFailReason(reason) ? reason.error : reason.defect
      const kind = typeof error === "object" && error !== null && "reason" in error ? String(error.reason) : "a bug"
      const passing = passingReasons.has(kind) || (kind === "Corrupt" && this.readsRemoved(String(error)))
      if (Cause.isFailReason(reason) && passing) this.world.note(`${name} failed: ${kind}`)
      else this.violations.push(`${name} stopped: ${kind}: ${String(error).split("\n")[0]}`)
    }
  }

  /** Who is still on a snapshot that expired meanwhile finds its files gone: the next attempt takes the one in force. */
  private readsRemoved(message: string): boolean {
    const [, uri] = /(\S+) does not exist/.exec(message) ?? []
    return uri !== undefined && this.durable.storage.removed.has(uri) && !this.tables.isReferenced(uri)
  }
}
