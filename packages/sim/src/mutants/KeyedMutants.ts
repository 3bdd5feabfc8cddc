/** Mistakes in deduplications, rankings, process functions, their timers, and what goes by the clock. */
import type { Mutant } from "./Mutants.ts"

const keyed = "packages/engine/src/keyed"
const firstState = `${keyed}/FirstState.ts`
const firstTimes = `${keyed}/FirstTimes.ts`
const rankingState = `${keyed}/RankingState.ts`
const rankings = `${keyed}/Rankings.ts`
const ranked = `${keyed}/Ranked.ts`
const functionState = `${keyed}/FunctionState.ts`
const functionCodec = `${keyed}/FunctionCodec.ts`
const timers = `${keyed}/Timers.ts`
const shard = "packages/engine/src/run/Shard.ts"

type Mistake = Omit<Mutant, "rule" | "hunter">

const kept: ReadonlyArray<Mistake> = [
  {
    name: "a first record is told before the watermark has passed it",
    file: firstState,
    find: "held !== undefined && held.time < watermark;",
    replace: "held !== undefined && held.time < watermark + 2000;"
  },
  {
    name: "first records that wait are not part of the delta",
    file: firstState,
    find: "came.push(held)",
    replace: ""
  },
  {
    name: "first records that were told are not part of the delta",
    file: firstState,
    find: "changed.add(held.key)",
    replace: ""
  },
  {
    name: "first records that had their turn wait again after a restart",
    file: firstState,
    find: "for (const [id, { time }] of loaded) if (of.from === null || time < of.from) loaded.delete(id)",
    replace: ""
  },
  {
    name: "keys of first records are forgotten out of order after a restart",
    file: firstTimes,
    find: "if (time + ttlMs > now) return\n        times.delete(key)",
    replace: "times.delete(key)"
  },
  {
    name: "a late record that is a duplicate is entered in the ledger",
    file: firstState,
    find: "if (first !== undefined && covers(first, eventTime) && first + ttlMs > watermark) return",
    replace: "if (first !== undefined && covers(first, eventTime) && eventTime >= watermark) return"
  },
  {
    name: "equal values are ranked by arrival",
    file: ranked,
    find: "if (left.time !== right.time) return left.time < right.time",
    replace: ""
  },
  {
    name: "a ranking that changed is not part of the delta",
    file: rankings,
    find: "changed.add(ranking)\n",
    replace: "if (ranking.rows.length < 3) changed.add(ranking)\n"
  },
  {
    name: "records that a ranking moves down are not told",
    file: rankingState,
    find: "rows.slice(from).map(",
    replace: "rows.slice(from, from + 1).map("
  },
  {
    name: "revisions of a ranking begin anew after a restart",
    file: rankings,
    find: "told: [...told],",
    replace: "told: told.map(() => 0),"
  },
  {
    name: "a ranking by windows forgets ranks in a restart",
    file: "packages/engine/src/window/TopAccumulator.ts",
    find: "= rows.map(([encoded",
    replace: "= rows.slice(0, 1).map(([encoded"
  }
]

const functions: ReadonlyArray<Mistake> = [
  {
    name: "what code wrote before it threw stays",
    file: functionState,
    find: "undoAll(turn)",
    replace: "turn.undo.length = 0"
  },
  {
    name: "timers that were set are not part of the delta",
    file: timers,
    find: "turn.undo.push(() => drop(entry, time))\n        changesOf(turn, entry.key).timers = true",
    replace: "turn.undo.push(() => drop(entry, time))"
  },
  {
    name: "timers that fired fire again after a restart",
    file: timers,
    find: "changesOf(turn, timer.key).timers = true\n      turn.cleared",
    replace: "turn.cleared"
  },
  {
    name: "timers that were restored are never due",
    file: functionState,
    find: "this.event.restored(entry)",
    replace: ""
  },
  {
    name: "timers fire before the watermark has come to them",
    file: functionState,
    find: "return this.event.nextAt() <= watermark",
    replace: "return this.event.nextAt() <= watermark + 5000",
    also: {
      find: "for (let timer = this.event.take(watermark); timer !== undefined; timer = this.event.take(watermark))",
      replace:
        "for (let timer = this.event.take(watermark + 5000); timer !== undefined; timer = this.event.take(watermark + 5000))"
    }
  },
  {
    name: "names that went from a map are there again after a restart",
    file: functionCodec,
    find: "if (value.length === 0) into.delete(of)",
    replace: "if (value.length === 0) continue"
  },
  {
    name: "a list that was cleared is there again after a restart",
    file: functionCodec,
    find: "if (encoded === null) return undefined",
    replace: "if (encoded === null) return before"
  }
]

const clock: ReadonlyArray<Mistake> = [
  {
    name: "the clock is not recorded, so windows end again after a restart",
    file: shard,
    find: "clock: { at: detail.clockAt ?? Number.NEGATIVE_INFINITY }",
    replace: "clock: { at: Number.NEGATIVE_INFINITY }",
    also: {
      file: "packages/engine/src/run/Restore.ts",
      find: "(clockAt ?? Number.NEGATIVE_INFINITY)",
      replace: "Number.NEGATIVE_INFINITY"
    }
  },
  {
    name: "the clock goes back with the machine's",
    file: shard,
    find: "context.clock.at = Math.max(context.clock.at, now)",
    replace: "context.clock.at = now"
  },
  {
    name: "timers by the clock that fired are set again after a restart",
    file: timers,
    find: "changesOf(turn, timer.key).timers = true\n      turn.cleared",
    replace: 'changesOf(turn, timer.key).timers = domain === "event"\n      turn.cleared'
  },
  {
    name: "windows by the clock take records after their end",
    file: shard,
    find: "shard.takeClock(now)\n      nowMs = now",
    replace: "nowMs = now"
  }
]

export const keyedMutants: ReadonlyArray<Mutant> = [
  ...kept.map((mistake): Mutant => ({ rule: "keyed", hunter: "bids", ...mistake })),
  ...functions.map((mistake): Mutant => ({ rule: "process", hunter: "bids", ...mistake })),
  ...clock.map((mistake): Mutant => ({ rule: "clock", hunter: "by-the-clock", ...mistake }))
]
