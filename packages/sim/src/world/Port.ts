/**
 * The door between processes and durable things: every operation passes it, takes time there, and may go wrong there.
 *
 * `SimLog`, `SimStorage` and `SimPointers` are called through it. An operation happens in one instant of the world; before
 * and after it lie delays in which the process may die, so that a crash falls between any two durable operations.
 */
import { type Context, Effect, type Exit } from "effect"
import type { Fault, FaultKind, FaultPlan, Operation } from "./Fault.ts"
import type { SimProcess, World } from "./World.ts"

/** How an interface says what went wrong. */
export interface Failures<E> {
  readonly unavailable: () => E
  readonly unknown: () => E
  readonly full: () => E
}

/** What the world does to whole processes; `Simulation` knows them. */
export interface ProcessFaults {
  readonly crash: (process: SimProcess) => void
  readonly freeze: (process: SimProcess, forMs: number) => void
  readonly twin: (process: SimProcess) => void
}

/** Faults that only some operations can have. */
export interface SpecialFaults {
  /** Leaves a part of it behind. */
  readonly torn?: () => void
  /** Lets somebody else be first. */
  readonly conflict?: () => void
}

/** A process at the door. */
export interface Caller {
  readonly process: SimProcess
  readonly role: Operation["role"]
  /** Clock and chance, for what happens inside the durable thing. */
  readonly context: Context.Context<never>
}

/** What durable things are called through. */
export interface Door {
  /** Performs `inner`, which must not wait. */
  readonly perform: <A, E>(
    caller: Caller,
    operation: Omit<Operation, "role">,
    inner: Effect.Effect<A, E>,
    failures: Failures<E>,
    special?: SpecialFaults
  ) => Effect.Effect<A, E>
}

/** A door without delays and faults: for those who look at the world from outside. */
export const openDoor: Door = { perform: (_caller, _operation, inner) => inner }

const latencyMsMax = 4
const slowMsMin = 1_000

export class Port implements Door {
  /** What went wrong so far. */
  readonly injected: Array<Fault> = []
  private readonly world: World
  private readonly plan: FaultPlan
  private readonly faults: ProcessFaults
  private readonly calm: boolean
  /** What passed so far, by number. */
  readonly operations: Array<Operation> = []
  private fullUntilMs = 0
  /** When what is out of reach comes back, by the first part of its operations' names. */
  private readonly outages = new Map<string, number>()

  constructor(world: World, plan: FaultPlan, faults: ProcessFaults, calm: boolean) {
    this.world = world
    this.plan = plan
    this.faults = faults
    this.calm = calm
  }

  /** Crashes `victim` if the plan says so for this event. */
  step(victim: () => SimProcess | undefined): void {
    const fault = this.plan.atStep(this.world.steps)
    const process = fault === undefined ? undefined : victim()
    if (fault === undefined || process === undefined) return
    this.injected.push(fault)
    this.world.note(`fault crash-step ${process.name}#${process.number}`)
    this.faults.crash(process)
  }

  perform<A, E>(
    caller: Caller,
    operation: Omit<Operation, "role">,
    inner: Effect.Effect<A, E>,
    failures: Failures<E>,
    special: SpecialFaults = {}
  ): Effect.Effect<A, E> {
    return Effect.callback<A, E>((resume) => {
      const { process } = caller
      const named = { ...operation, role: caller.role }
      const index = this.operations.push(named) - 1
      const fault = this.plan.at(index, named)
      if (fault !== undefined) this.injected.push(fault)
      const title = `${index} ${process.name}#${process.number} ${operation.name}`
      const act = (): Exit.Exit<A, E> => {
        const exit =
          operation.writes && this.world.nowMs < this.fullUntilMs
            ? Effect.runSyncExit(Effect.fail(failures.full()))
            : Effect.runSyncExitWith(caller.context)(inner)
        this.world.note(`${title}${fault === undefined ? "" : ` [${fault.kind}]`} ${exit._tag}`)
        return exit
      }
      const answer = (exit: Exit.Exit<A, E>) => this.world.afterFor(process, this.latency(), () => resume(exit))
      this.world.after(this.latency(), () => {
        // who asked is dead already: what was under way happens, or does not
        if (!process.alive && this.world.random.below(2) === 0) return
        const system = operation.name.split(".", 1)[0]!
        if (process.alive && this.world.nowMs < (this.outages.get(system) ?? 0)) {
          this.world.note(`${title} out of reach`)
          answer(Effect.runSyncExit(Effect.fail(failures.unavailable())))
        } else if (fault === undefined || !process.alive) answer(act())
        else this.misbehave(caller, fault, system, act, answer, failures, special)
      })
    })
  }

  private latency(): number {
    return this.calm ? 0 : this.world.random.below(latencyMsMax + 1)
  }

  /** `act` lets the operation happen, `answer` tells the process. */
  private misbehave<A, E>(
    { process }: Caller,
    fault: Fault,
    system: string,
    act: () => Exit.Exit<A, E>,
    answer: (exit: Exit.Exit<A, E>) => void,
    failures: Failures<E>,
    special: SpecialFaults
  ): void {
    const fail = (error: E) => answer(Effect.runSyncExit(Effect.fail(error)))
    const ways: Readonly<Record<FaultKind, () => void>> = {
      fail: () => fail(failures.unavailable()),
      lost: () => fail(failures.unknown()),
      kept: () => {
        act()
        fail(failures.unknown())
      },
      late: () => {
        this.world.after(fault.amountMs, act)
        fail(failures.unknown())
      },
      outage: () => {
        act()
        this.outages.set(system, this.world.nowMs + fault.amountMs)
        fail(failures.unknown())
      },
      torn: () => {
        special.torn?.()
        fail(failures.unknown())
      },
      conflict: () => {
        special.conflict?.()
        answer(act())
      },
      slow: () => void this.world.after(slowMsMin + fault.amountMs, () => answer(act())),
      full: () => {
        this.fullUntilMs = this.world.nowMs + fault.amountMs
        answer(act())
      },
      "crash-before": () => this.faults.crash(process),
      "crash-after": () => {
        act()
        this.faults.crash(process)
      },
      "crash-late": () => {
        this.world.after(fault.amountMs, act)
        this.faults.crash(process)
      },
      freeze: () => {
        answer(act())
        this.faults.freeze(process, fault.amountMs)
      },
      twin: () => {
        answer(act())
        this.faults.twin(process)
      },
      jump: () => {
        process.clockSkewMs += fault.amountMs * (this.world.random.below(2) === 0 ? 1 : -1)
        answer(act())
      },
      "crash-step": () => answer(act())
    }
    ways[fault.kind]()
  }
}
