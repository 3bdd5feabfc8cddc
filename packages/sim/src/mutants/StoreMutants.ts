/** Mistakes in state on disk: what is found, merged, frozen, captured, and what becomes of its files. */
import type { Mutant } from "./Mutants.ts"

const store = "packages/engine/src/store"
const levels = `${store}/Levels.ts`
const merge = `${store}/Merge.ts`
const storedMap = `${store}/StoredMap.ts`
const storedState = `${store}/StoredKeyedState.ts`
const embeddedStore = `${store}/EmbeddedStore.ts`
const bloomFilter = `${store}/BloomFilter.ts`
const openStore = `${store}/OpenStore.ts`
const stateStores = "packages/engine/src/run/StateStores.ts"

const mistakes: ReadonlyArray<Omit<Mutant, "rule" | "hunter">> = [
  {
    name: "a newer segment lies behind older ones",
    file: levels,
    find: "this.level(0).unshift(segment)",
    replace: "this.level(0).push(segment)"
  },
  {
    name: "what was merged lies behind older segments",
    file: levels,
    find: "next.unshift(made)",
    replace: "next.push(made)"
  },
  {
    name: "an older entry wins a merge",
    file: merge,
    find: "new MergedEntries(options.inputs)",
    replace: "new MergedEntries(options.inputs.toReversed())"
  },
  {
    name: "what a merge ends with is lost",
    file: merge,
    find: "if (entry === undefined) return true\n      const gone",
    replace: "if (entry === undefined || this.writer.entries > 8) return true\n      const gone"
  },
  {
    name: "a filter forgets keys",
    file: bloomFilter,
    find: "at = (at + step) | 0\n    }\n  }\n\n  mayHave",
    replace: "at = (at + 3 * step) | 0\n    }\n  }\n\n  mayHave"
  },
  {
    name: "what changed leaves the cache without being written",
    file: storedMap,
    find: "if (held.dirty) this.frozen.set(key, held)",
    replace: "if (held.dirty && key.length % 2 === 0) this.frozen.set(key, held)"
  },
  {
    name: "a key that was not there stays so when it is set",
    file: storedMap,
    find: "  private take(key: string, held: Held<V>): void {\n    this.missing = undefined",
    replace: "  private take(key: string, held: Held<V>): void {"
  },
  {
    name: "a value that was told is spilled though it was set again",
    file: storedMap,
    find: "      before.encoded = undefined\n",
    replace: ""
  },
  {
    name: "an increment begins behind what was spilled since the capture before",
    file: embeddedStore,
    find: "recent?.unshift(made.hold())",
    replace: ""
  },
  {
    name: "an increment gives what was being spilled while the capture before had newer",
    file: embeddedStore,
    find: "if (recent === this.recent) recent?.unshift(made.hold())",
    replace: "this.recent?.unshift(made.hold())"
  },
  {
    name: "a capture leaves out what the store does not have yet",
    file: storedMap,
    find: "if (dirty && round >= from) newer.push(key)",
    replace: ""
  },
  {
    name: "state on disk is not part of the delta when it left the cache",
    file: storedState,
    find: "if (told !== undefined) delta.push([key, told.encoded, told.time])",
    replace: "if (told !== undefined && entries.size < 3) delta.push([key, told.encoded, told.time])"
  },
  {
    name: "state on disk lives for ever",
    file: storedState,
    find: "now - time >= ttlMs",
    replace: "now - time >= 100 * ttlMs"
  },
  {
    name: "what a killed process left of a shard is not swept",
    file: openStore,
    find: "    this.folder.remove(this.path)\n",
    replace: ""
  },
  {
    name: "a shard's files stay when it is given up",
    file: stateStores,
    find: "open.get(shard)?.close()",
    replace: ""
  }
]

const expiringMap = `${store}/ExpiringMap.ts`
const keyed = "packages/engine/src/keyed"
const storedKeys = `${keyed}/StoredFunctionKeys.ts`

const ofKeyedOperators: typeof mistakes = [
  {
    name: "a merge drops what is not over yet",
    file: expiringMap,
    find: "overAt <= this.forgottenAt",
    replace: "overAt <= this.forgottenAt + 1_800_000"
  },
  {
    name: "a key on disk that only has timers is in no base",
    file: storedKeys,
    find: "hasTimers(entry) ? Number.POSITIVE_INFINITY : begunStates.overAt",
    replace: "begunStates.overAt - 3_590_000"
  },
  {
    name: "a timer of a key on disk that fired leaves no trace",
    file: storedKeys,
    find: "if (!changed) return",
    replace: "if (!changed || cleared) return"
  },
  {
    name: "states of a key on disk are written when they are new only",
    file: storedKeys,
    find: "states.set(key, begunStates,",
    replace: "if (states.get(key) === undefined) states.set(key, begunStates,"
  },
  {
    name: "a ranking on disk is written before what it told is counted",
    file: `${keyed}/RankingState.ts`,
    find: "const told = tellings(ranking, at)\n      rankings.changed(ranking)",
    replace: "rankings.changed({ ...ranking, told: [...ranking.told] })\n      const told = tellings(ranking, at)"
  },
  {
    name: "first records on disk live as long as a record of them comes",
    file: `${keyed}/FirstTimes.ts`,
    find: "set: (key, time) => times.set(key, time, time + ttlMs)",
    replace: "set: (key, time) => times.set(key, times.get(key) ?? time, time + ttlMs)"
  }
]

const window = "packages/engine/src/window"
const storedPanes = `${window}/StoredPanes.ts`
const storedFixed = `${window}/StoredFixedState.ts`
const storedSessions = `${window}/StoredSessions.ts`

const ofWindows: typeof mistakes = [
  {
    name: "a pane on disk is over when its last window ends",
    file: storedPanes,
    find: "overAt: lastEnd + allowedLatenessMs",
    replace: "overAt: lastEnd"
  },
  {
    name: "a window on disk leaves out what the cache has let go",
    file: `${store}/KeyGroups.ts`,
    find: "if (value !== undefined) return [entryKey, value]",
    replace: "if (value !== undefined && this.newer.length === 0) return [entryKey, value]"
  },
  {
    name: "a window on disk leaves out what is about to be spilled",
    file: storedMap,
    find: "if (held !== undefined) newer.push([key, held.value])",
    replace: ""
  },
  {
    name: "a scan of a store ends a block early",
    file: `${store}/MergedEntries.ts`,
    find: "index.blockOf(range.to, range.to.length) + 1",
    replace: "index.blockOf(range.to, range.to.length)"
  },
  {
    name: "a pane on disk that changed in place is not written again",
    file: storedPanes,
    find: "if (pane !== undefined) this.map.set(name, pane, bucket.overAt)",
    replace: ""
  },
  {
    name: "revisions of windows on disk are in no delta",
    file: storedFixed,
    find: "    list(revised, end, key)\n",
    replace: ""
  },
  {
    name: "early results of windows on disk are not due again after a restart",
    file: storedFixed,
    find: "if (pane?.touched === true) early.restored(key, pane, watermark)",
    replace: ""
  },
  {
    name: "which early results are to come is lost with the cache",
    file: storedPanes,
    find: 'pane.touched = "touched" in encoded',
    replace: ""
  },
  {
    name: "sessions on disk are not looked at again when another one of their key was",
    file: storedSessions,
    find: "if (dueAt(session) > at) schedule(session)",
    replace: "if (dueAt(session) > at && keyed.sessions.length < 2) schedule(session)"
  },
  {
    name: "a session on disk that was restored is never due",
    file: storedSessions,
    find: "      schedule(session)\n      return session",
    replace: "      return session"
  },
  {
    name: "keys on disk are due when the piece of time is that they are listed in",
    file: `${store}/DueKeys.ts`,
    find: "heap.add(restOfKey(next[0]), next[1])",
    replace: "heap.add(restOfKey(next[0]), start)"
  },
  {
    name: "a session on disk that was removed comes back",
    file: storedSessions,
    find: "    open--\n    write(keyed, before)",
    replace: "    open--\n    if (keyed.sessions.length > 0) write(keyed, before)"
  },
  {
    name: "a segment goes when something in it is over",
    file: `${store}/Segment.ts`,
    find: "if (time > this.newestTime) this.newestTime = time",
    replace: "this.newestTime = this.entries === 0 ? time : Math.min(time, this.newestTime)"
  }
]

const join = "packages/engine/src/join"
const joinKeys = `${join}/StoredJoinKeys.ts`
const joinKey = `${join}/StoredKey.ts`
const storedInterval = `${join}/StoredIntervalState.ts`
const storedAsOf = `${join}/StoredAsOfState.ts`
const storedLatest = `${join}/StoredLatestState.ts`

const ofJoins: typeof mistakes = [
  {
    name: "what an entry of a join on disk replaces lives longer than it",
    file: joinKeys,
    find: "    if (overAt > before) {\n",
    replace: "    if (overAt > before || overAt < before) {\n"
  },
  {
    name: "a key of a join on disk that was looked at is not looked at again",
    file: joinKeys,
    find: "this.schedule(keyed, visit(keyed, at))",
    replace: "visit(keyed, at)"
  },
  {
    name: "records that a snapshot of a join on disk tells twice are held twice",
    file: joinKeys,
    find: "if (there === undefined) this.put(",
    replace: "if (there === undefined || piece !== undefined) this.put("
  },
  {
    name: "a record of a join on disk that left the cache in its epoch meets nobody",
    file: joinKeys,
    find: "if (came !== undefined) came.matched = true",
    replace: "if (came !== undefined) void came"
  },
  {
    name: "what a join on disk found a partner for is not in the delta",
    file: joinKeys,
    find: "this.matched.push(matchOf(held))",
    replace: "void held"
  },
  {
    name: "when a key of a join on disk is due is lost with the cache",
    file: joinKey,
    find: "keyed.dueAt = dueAt ?? Number.POSITIVE_INFINITY",
    replace: "keyed.dueAt = dueAt === 0 ? 0 : Number.POSITIVE_INFINITY"
  },
  {
    name: "rows of a join on disk are lost with the cache",
    file: joinKey,
    find: "rows.flatMap((row) => (row === undefined ? [] : [encodeStored(row)]))",
    replace: "[]"
  },
  {
    name: "what an interval join on disk held is over once more after a restart",
    file: storedInterval,
    find: "this.end(closed ? Number.POSITIVE_INFINITY : watermark - this.spec.allowedLatenessMs, () => {})",
    replace: "void watermark"
  },
  {
    name: "an as-of join on disk forgets the version in force",
    file: storedAsOf,
    find: "versions.placeAt(horizon) - 1",
    replace: "versions.placeAt(horizon)"
  },
  {
    name: "an as-of join on disk waits for its first record only",
    file: storedAsOf,
    find: "return waiting.at(0)?.time ?? Number.POSITIVE_INFINITY",
    replace: "return Number.POSITIVE_INFINITY"
  },
  {
    name: "rows of a join on disk do not end",
    file: storedLatest,
    find: "if (row !== undefined) next = Math.min(next, row.time + this.spec.ttlMs)",
    replace: ""
  }
]

const tableRows = "packages/engine/src/state/TableRows.ts"

const ofTables: typeof mistakes = [
  {
    name: "a row of a table on disk that was deleted is still met",
    file: tableRows,
    find: "entries.set(key, null, deleted)",
    replace: "entries.set(key, entries.get(key)!.value, begun)"
  },
  {
    name: "an increment of a table on disk leaves out what was deleted",
    file: tableRows,
    find: 'const given = kind === "base" ? some.filter',
    replace: 'const given = kind !== "first" ? some.filter'
  },
  {
    name: "rows of a table on disk are in no delta when there are more than four",
    file: tableRows,
    find: "const told = entries.told(key)",
    replace: "const told = get(key) === undefined || size > 4 ? undefined : entries.told(key)"
  }
]

const patternKeys = "packages/engine/src/pattern/StoredPatternKeys.ts"

const ofPatterns: typeof mistakes = [
  {
    name: "a key of a pattern on disk that was looked at is not looked at again",
    file: patternKeys,
    find: "      keyed.dueAt = never\n",
    replace: ""
  },
  {
    name: "partial matches on disk that ended are still there",
    file: patternKeys,
    find: "this.keys.set(keyed.key, keyed, isOpen(keyed) ? never : atOnce)",
    replace: "if (isOpen(keyed)) this.keys.set(keyed.key, keyed, never)"
  },
  {
    name: "when partial matches on disk are over is lost with the cache",
    file: patternKeys,
    find: "dueAt: dueAt ?? never",
    replace: "dueAt: never"
  }
]

const huntedBy =
  (hunter: string) =>
  (mistake: (typeof mistakes)[number]): Mutant => ({ rule: "state on disk", hunter, ...mistake })

export const storeMutants: ReadonlyArray<Mutant> = [
  ...mistakes.map(huntedBy("stored")),
  ...ofKeyedOperators.map(huntedBy("bids-on-disk")),
  ...ofWindows.map(huntedBy("windows-on-disk")),
  ...ofJoins.map(huntedBy("market-on-disk")),
  ...ofTables.map(huntedBy("tables-on-disk")),
  ...ofPatterns.map(huntedBy("sequences-on-disk"))
]
