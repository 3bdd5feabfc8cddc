/**
 * The loop of the simulated world: one thread of events, virtual time, processes that can die at any step.
 *
 * `Simulation` builds a world and drives it. Fibers of Effect run as events of it (`SeededScheduler`), operations on durable
 * things answer through it (`Port`). **Guarantee**: everything that happens follows from the seed; nothing waits for real
 * time, so an hour of sleeping costs nothing.
 */
import { crc32 } from "node:zlib"
import { makeRandom, type Random } from "../generate/Random.ts"
import { EventHeap } from "./EventHeap.ts"

/** A program that runs in the world. What it has in memory is gone when it is killed; it gets no chance to tidy up. */
export interface SimProcess {
  readonly name: string
  readonly number: number
  alive: boolean
  /** Until then it does nothing, and does not know it: a long pause, a machine that sleeps. */
  frozenUntilMs: number
  /** What its clock shows beyond the world's. */
  clockSkewMs: number
}

interface Task {
  readonly process: SimProcess
  readonly run: () => void
}

/** 2026-01-14T12:00:00Z. */
const startMs = 1_768_392_000_000

export class World {
  readonly random: Random
  nowMs = startMs
  /** Events so far. */
  steps = 0
  /** Told before each event: where a crash at any step comes from. */
  beforeStep: () => void = () => {}
  private readonly calm: boolean
  private readonly ready: Array<Task> = []
  private readonly events = new EventHeap()
  private readonly lines: Array<string> = []
  private readonly keepsTrace: boolean
  private hash = 0
  private processes = 0

  /** `calm`: events in the order in which they came. */
  constructor(options: { readonly seed: number; readonly calm: boolean; readonly keepsTrace: boolean }) {
    this.random = makeRandom(options.seed)
    this.calm = options.calm
    this.keepsTrace = options.keepsTrace
  }

  startProcess(name: string): SimProcess {
    return { name, number: this.processes++, alive: true, frozenUntilMs: 0, clockSkewMs: 0 }
  }

  kill(process: SimProcess): void {
    process.alive = false
    this.note(`kill ${process.name}#${process.number}`)
  }

  /** Lets a process do something as soon as possible. */
  soon(process: SimProcess, run: () => void): void {
    this.ready.push({ process, run })
  }

  /** Lets something happen after `delayMs`, whatever becomes of the processes; cancelled by what is returned. */
  after(delayMs: number, run: () => void): () => void {
    // clocks show whole milliseconds
    return this.events.add(this.nowMs + Math.ceil(delayMs), run)
  }

  /** As `after`, for a process: nothing happens when it is dead by then, and later when it is frozen. */
  afterFor(process: SimProcess, delayMs: number, run: () => void): () => void {
    return this.after(delayMs, () => this.soon(process, run))
  }

  /** Writes a line into the trace, whose hash tells whether two runs were the same. */
  note(line: string): void {
    const text = `${this.nowMs - startMs} ${line}`
    this.hash = crc32(text, this.hash)
    if (this.keepsTrace) this.lines.push(text)
  }

  /** Runs until `done`; false when nothing is left to happen, or a bound was reached before. */
  runUntil(done: () => boolean, bounds: { readonly stepsMax: number; readonly hoursMax: number }): boolean {
    const endMs = this.nowMs + bounds.hoursMax * 3_600_000
    while (!done()) {
      if (this.steps >= bounds.stepsMax || this.nowMs > endMs) return false
      if (this.ready.length === 0) {
        const next = this.events.take()
        if (next === undefined) return false
        this.nowMs = Math.max(this.nowMs, next.atMs)
        next.run()
        continue
      }
      this.steps++
      this.beforeStep()
      this.runTask(this.takeReady())
    }
    return true
  }

  trace(): { readonly hash: string; readonly lines: ReadonlyArray<string> } {
    return { hash: crc32(`${this.steps}`, this.hash).toString(16).padStart(8, "0"), lines: this.lines }
  }

  private takeReady(): Task {
    const index = this.calm || this.ready.length === 1 ? 0 : this.random.below(this.ready.length)
    return this.ready.splice(index, 1)[0]!
  }

  private runTask({ process, run }: Task): void {
    if (!process.alive) return
    if (process.frozenUntilMs > this.nowMs) this.afterFor(process, process.frozenUntilMs - this.nowMs, run)
    else run()
  }
}
