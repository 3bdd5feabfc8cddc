/** Mistakes in sessions, rolling totals, early results and aggregates that depend on where records lie. */
import type { Mutant } from "./Mutants.ts"

const window = "packages/engine/src/window"
const fixedState = `${window}/FixedState.ts`
const sessionState = `${window}/SessionState.ts`
const paneColumns = `${window}/PaneColumns.ts`
const sessionCodec = `${window}/SessionCodec.ts`

type Mistake = Omit<Mutant, "rule" | "hunter">

const sessions: ReadonlyArray<Mistake> = [
  {
    name: "a session is forgotten before its lateness has passed",
    file: sessionState,
    find: "last + gapMs + allowedLatenessMs < watermark",
    replace: "last + gapMs < watermark"
  },
  {
    name: "lateness is judged by the end of the record's session",
    file: sessionState,
    find: "if (eventTime < Math.max(watermark, closedAt) - allowedLatenessMs) {",
    replace: "if (eventTime + gapMs < Math.max(watermark, closedAt) - allowedLatenessMs) {"
  },
  {
    name: "a session that joins another does not take its result back",
    file: sessionState,
    find: "takeBack(after)\n",
    replace: "\n"
  },
  {
    name: "a session that is prolonged leaves its result standing",
    file: sessionState,
    find: "if (last + gapMs >= watermark) takeBack(before)",
    replace: ""
  },
  {
    name: "a session that begins earlier leaves its result standing",
    file: sessionState,
    find: "takeBack(after!)",
    replace: ""
  },
  {
    name: "a session that gave its result is not part of the delta",
    file: sessionState,
    find: "session.stands = !marked\n    markChanged(session)",
    replace: "session.stands = !marked"
  },
  {
    name: "revisions of a session begin anew after a restart",
    file: sessionCodec,
    find: "session.given = given",
    replace: ""
  },
  {
    name: "a session that gave its result gives it again after a restart",
    file: sessionCodec,
    find: "session.stands = stands",
    replace: ""
  },
  {
    name: "a session that became part of another is there again after a restart",
    file: `${window}/SessionStore.ts`,
    find: "if (other.start <= last && other.last >= start) remove(other)",
    replace: "if (other.start === start) remove(other)"
  },
  {
    name: "a session that was restored is never due",
    file: `${window}/SessionStore.ts`,
    find: "else schedule(session)\n        }\n      }\n    },",
    replace: "}\n      }\n    },"
  },
  {
    name: "a record at the very end of a session begins another",
    file: `${window}/Session.ts`,
    find: "time - left.last <= gapMs",
    replace: "time - left.last < gapMs"
  },
  {
    name: "a session that joins another may be longer than its max",
    file: `${window}/Session.ts`,
    find: "after.last - before.start > maxMs",
    replace: "maxMs < 0"
  },
  {
    name: "a late session is not due again when it is prolonged",
    file: `${window}/SessionStore.ts`,
    find: "if (at >= session.dueAt) return",
    replace: "if (session.dueAt !== Number.POSITIVE_INFINITY) return"
  }
]

const fixed: ReadonlyArray<Mistake> = [
  {
    name: "the revision after early results is not remembered",
    file: fixedState,
    find: "if (before !== undefined) remember(keyed, end, before + 1)",
    replace: ""
  },
  {
    name: "panes of numbers that lie beside others are read at the start of the first",
    file: paneColumns,
    find: "panes.every((pane) => pane.start === start) ? start",
    replace: "panes.length > 0 ? start"
  },
  {
    name: "which early results are to come is not durable",
    file: `${window}/PaneCodec.ts`,
    find: "...(pane.touched ? [true] : [])",
    replace: ""
  },
  {
    name: "early results come again after a restart",
    file: `${window}/EarlyResults.ts`,
    find: "      changed(pane)\n",
    replace: "\n"
  },
  {
    name: "early results are not due again after a restart",
    file: `${window}/EarlyResults.ts`,
    find: "for (const pane of panes) if (pane.touched) add(pane, watermark)",
    replace: ""
  },
  {
    name: "rolling totals are given without news",
    file: fixedState,
    find: "const from = end - (rolling ? everyMs : sizeMs)",
    replace: "const from = end - sizeMs"
  },
  {
    name: "rolling totals are not merged anew when a late record comes",
    file: fixedState,
    find: "if (keyed.slid !== undefined && start < keyed.slid.to) keyed.slid = undefined",
    replace: ""
  },
  {
    name: "rolling totals slide on with what has left their window",
    file: `${window}/Sliding.ts`,
    find: "|| from > slid.split",
    replace: ""
  },
  {
    name: "rolling totals are revised that were never given",
    file: fixedState,
    find: "if (records === 0) return\n    const before",
    replace: "const before"
  }
]

const aggregates: ReadonlyArray<Mistake> = [
  {
    name: "the aggregate first goes by arrival",
    file: `${window}/EndAccumulator.ts`,
    find: 'kind === "first" ? later < 0 : later > 0',
    replace: 'kind === "last"'
  },
  {
    name: "the aggregate collect goes by arrival",
    file: `${window}/CollectAccumulator.ts`,
    find: "while (at > 0 && isBefore(entry, entries[at - 1]!)) at--",
    replace: ""
  },
  {
    name: "a collected aggregate forgets that it left values out",
    file: `${window}/CollectAccumulator.ts`,
    find: "cells.numbers[cell] = capped ? 1 : Number.NaN",
    replace: "if (capped) cells.numbers[cell] = Number.NaN"
  },
  {
    name: "an aggregate of one's own is not joined",
    file: `${window}/CustomAccumulator.ts`,
    find: "if (held(from) === undefined) return",
    replace: "if (held(into) !== undefined) return"
  },
  {
    name: "an estimated aggregate is lost in a restart",
    file: `${window}/DistinctAccumulator.ts`,
    find: "cells.numbers[cell] = count\n      putSketch(cells, sketch)",
    replace: "cells.numbers[cell] = count"
  }
]

export const windowMutants: ReadonlyArray<Mutant> = [
  ...sessions.map((mistake): Mutant => ({ rule: "rule 19", hunter: "windows", ...mistake })),
  ...fixed.map((mistake): Mutant => ({ rule: "window", hunter: "windows", ...mistake })),
  ...aggregates.map((mistake): Mutant => ({ rule: "rule 20", hunter: "windows", ...mistake }))
]
