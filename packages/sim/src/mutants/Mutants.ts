/**
 * Rules of the commit protocol taken out, one small text patch each, and other mistakes that somebody could make.
 *
 * `RunMutants` applies them to a copy; product code knows nothing of them. A rule that has no patch here is one that other
 * rules stand in for as long as there is one log on one machine; the README says which.
 */
import { keyedMutants } from "./KeyedMutants.ts"
import { joinMutants } from "./JoinMutants.ts"
import { endMutants } from "./EndMutants.ts"
import { patternMutants } from "./PatternMutants.ts"
import { portMutants } from "./PortMutants.ts"
import { repartitionMutants } from "./RepartitionMutants.ts"
import { retentionMutants } from "./RetentionMutants.ts"
import { sharingMutants } from "./SharingMutants.ts"
import { storeMutants } from "./StoreMutants.ts"
import { totalMutants } from "./TotalMutants.ts"
import { windowMutants } from "./WindowMutants.ts"

export interface Mutant {
  /** `rule 5`, or what kind of mistake it is. */
  readonly rule: string
  readonly name: string
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** A second text, of the same file unless it says another: for what the first needs, or what stands in for it. */
  readonly also?: { readonly file?: string; readonly find: string; readonly replace: string }
  /** A name of `hunters`. */
  readonly hunter: string
}

const commitEpoch = "packages/engine/src/run/CommitEpoch.ts"
const restore = "packages/engine/src/run/Restore.ts"
const shard = "packages/engine/src/run/Shard.ts"
const takeCommit = "packages/engine/src/run/TakeCommit.ts"
const task = "packages/engine/src/run/Task.ts"
const takeSnapshots = "packages/engine/src/run/TakeSnapshots.ts"
const captureShard = "packages/engine/src/checkpoint/CaptureShard.ts"
const compileStageFile = "packages/engine/src/run/CompileStage.ts"
const windowState = "packages/engine/src/window/FixedState.ts"
const snapshot = "packages/engine/src/checkpoint/Snapshot.ts"
const lookupState = "packages/engine/src/lookup/LookupState.ts"
const runAskers = "packages/engine/src/run/RunAskers.ts"
const runLanding = "packages/lake/src/landing/RunLanding.ts"
const swapIn = "packages/lake/src/landing/SwapIn.ts"
const openTable = "packages/lake/src/landing/OpenTable.ts"
const checkMarks = "packages/lake/src/landing/CheckMarks.ts"
const pointerCatalog = "packages/lake/src/catalog/PointerCatalog.ts"
const stageAppend = "packages/lake/src/write/StageAppend.ts"
const stageSnapshot = "packages/lake/src/write/StageSnapshot.ts"

/** The embedded log's own tables have the conformance suite; here the rule is taken out of the simulated one. */
const logState = "packages/sim/src/world/log/LogState.ts"

const commitsInOneAct = "yield* log.commit({ owner, shards: commits })"
const commitsAlone = "yield* log.commit({ owner, shards: commits.map((each) => ({ ...each, outputs: [] })) })"
const outputsAlone = `const apart = yield* Effect.scoped(log.producer("apart"))
  yield* apart.append(apart.nextSequence, commits.flatMap(({ outputs }) => outputs))`

const logStage: ReadonlyArray<Mutant> = [
  {
    rule: "rule 1",
    name: "deltas of epochs that are not in a snapshot are dropped",
    file: commitEpoch,
    find: "yield* log.dropDeltas(owner, shard.id, oldest.epoch)",
    replace: "yield* log.dropDeltas(owner, shard.id, shard.epoch)",
    hunter: "accounts"
  },
  {
    rule: "rule 1",
    name: "a snapshot's hash is not verified",
    file: snapshot,
    find: "if (bytes.length !== name.bytes || sha256(bytes) !== name.sha256) {",
    replace: "if (bytes.length < 0) {",
    hunter: "damage"
  },
  {
    rule: "rule 1",
    name: "a gap between deltas is not noticed",
    file: restore,
    find: "if (next !== record.epoch + 1) return yield* gap(next, record.epoch + 1)",
    replace: "",
    hunter: "damage"
  },
  {
    rule: "rule 1",
    name: "a snapshot is named before it is durable",
    file: snapshot,
    find: "yield* store.writeNew(name.file, bytes)",
    replace: "yield* Effect.forkDetach(Effect.ignore(store.writeNew(name.file, bytes)))",
    hunter: "accounts"
  },
  {
    rule: "rule 1",
    name: "a snapshot says that it contains an epoch more",
    file: takeSnapshots,
    find: "const { chain, epoch, id } = shard",
    replace: "const { chain, id } = shard\n    const epoch = shard.epoch + 1",
    hunter: "accounts"
  },
  {
    rule: "rule 1",
    name: "a snapshot is named before its last piece was taken",
    file: captureShard,
    find: "return this.given() && this.writer.empty()",
    replace: "return this.writer.empty()",
    hunter: "accounts"
  },
  {
    rule: "rule 6",
    name: "a part goes that a named snapshot still lists",
    file: commitEpoch,
    find: "const named = new Set(snapshots.flatMap(({ file }) => [file, ...(files.get(file) ?? [])]))",
    replace: "const named = new Set(snapshots.map(({ file }) => file))",
    hunter: "accounts"
  },
  {
    rule: "snapshot",
    name: "the list of what changed does not begin anew with a snapshot",
    file: "packages/engine/src/state/KeyedState.ts",
    find: "since.add(entry)",
    replace: "if (entry.listedIn === 0) since.add(entry)",
    hunter: "accounts"
  },
  {
    rule: "snapshot",
    name: "a snapshot does not list the increments before it",
    file: captureShard,
    find: "parts: [...before.parts, ...written],",
    replace: "parts: written.length === 0 ? before.parts : [...before.parts.slice(0, 1), ...written],",
    hunter: "accounts"
  },
  {
    rule: "rule 2",
    name: "no older snapshot stands in for a damaged one",
    file: restore,
    find: "const candidates = record.snapshots.length < snapshotsKept ? [...record.snapshots, undefined] : record.snapshots",
    replace: "const candidates = [record.snapshots[0]]",
    hunter: "damage"
  },
  {
    rule: "rule 3",
    name: "a restart reads from the start, not from the offset in force",
    file: restore,
    find: "const offset = yield* checkedPosition(id, record, topic)",
    replace: "yield* checkedPosition(id, record, topic)\n    const offset = 0",
    hunter: "transactions"
  },
  {
    rule: "rule 5",
    name: "an unknown outcome is taken for a commit",
    file: commitEpoch,
    find: commitsInOneAct,
    replace: `${commitsInOneAct}.pipe(Effect.catchIf((e) => e.reason === "OutcomeUnknown", () => Effect.succeed([])))`,
    hunter: "accounts"
  },
  {
    rule: "rule 5",
    name: "after an unknown outcome the epoch is committed once more, as the next one",
    file: commitEpoch,
    find: commitsInOneAct,
    replace: `yield* log.commit({ owner, shards: commits }).pipe(
    Effect.catchIf(
      (e) => e.reason === "OutcomeUnknown",
      () =>
        Effect.flatMap(Effect.forEach(commits, (each) => log.inForce(each.id)), (found) =>
          log.commit({ owner, shards: commits.map((each, i) => ({ ...each, epochRead: found[i]?.epoch ?? 0 })) })
        )
    )
  )`,
    hunter: "accounts"
  },
  {
    rule: "rule 6",
    name: "the newest snapshot is deleted instead of the oldest",
    file: commitEpoch,
    find: "return of.filter((file) => !named.has(file))",
    replace: "return of.length === 0 ? of : [snapshots[0]!.file]",
    hunter: "accounts"
  },
  {
    rule: "rule 6",
    name: "unnamed snapshots are deleted whatever their age",
    file: task,
    find: "if (!named.has(file.name) && now - file.modifiedMs > unnamedSnapshotAgeMs) yield* store.remove(file.name)",
    replace: "if (!named.has(file.name)) yield* store.remove(file.name)",
    hunter: "accounts"
  },
  {
    rule: "rule 9",
    name: "a topic made anew is read on",
    file: "packages/engine/src/run/SourceTopic.ts",
    find: "topicId !== ",
    replace: "topicId === undefined && '' !== ",
    hunter: "damage"
  },
  {
    rule: "rule 10",
    name: "a zombie is not fenced: commits ask for neither owner nor epoch",
    file: logState,
    find: "return inForce === epochRead\n",
    replace: "return inForce >= 0\n",
    also: { find: "return shard !== undefined && shard.owner === owner\n", replace: "return shard !== undefined\n" },
    hunter: "accounts"
  },
  {
    rule: "rule 11",
    name: "the highest event time is not restored",
    file: shard,
    find: "maxEventTime: maxEventTime ?? Number.NEGATIVE_INFINITY",
    replace: "maxEventTime: Number.NEGATIVE_INFINITY",
    hunter: "accounts"
  },
  {
    rule: "order",
    name: "offsets are committed before outputs",
    file: commitEpoch,
    find: commitsInOneAct,
    replace: `${commitsAlone}\n  ${outputsAlone}`,
    hunter: "transactions"
  },
  {
    rule: "order",
    name: "outputs are committed before offsets",
    file: commitEpoch,
    find: commitsInOneAct,
    replace: `${outputsAlone}\n  ${commitsAlone}`,
    hunter: "transactions"
  },
  {
    rule: "mistake",
    name: "keyed state is not restored",
    file: restore,
    find: "yield* restoreStates(plan, owner, id, record, detail.deltasFrom, open)",
    replace: "yield* emptyState(plan, id, open)",
    hunter: "accounts"
  },
  {
    rule: "mistake",
    name: "deltas after the snapshot are not applied",
    file: restore,
    find: "yield* apply(loads, delta.bytes, deltaPlace(id, delta.epoch),",
    replace: "if (snapshot === undefined) yield* apply(loads, delta.bytes, deltaPlace(id, delta.epoch),",
    hunter: "accounts"
  },
  {
    rule: "mistake",
    name: "counters begin anew after a restart",
    file: takeCommit,
    find: "in: counts.in + shard.pending",
    replace: "in: shard.pending",
    hunter: "transactions"
  },
  {
    rule: "mistake",
    name: "dead letters are not part of the epoch",
    file: takeCommit,
    find: "collectorsOf(shard).flatMap((output) => [...output.take()])",
    replace: "shard.outputs.flatMap((output) => [...output.take()])",
    hunter: "transactions"
  },
  {
    rule: "mistake",
    name: "a delta holds only what changed since the last snapshot's epoch began",
    file: "packages/engine/src/state/KeyedState.ts",
    find: "changed.push(entry)",
    replace: "if (entry.listedIn === 0) changed.push(entry)",
    hunter: "accounts"
  },
  {
    rule: "mistake",
    name: "the end is asked for before the input is complete",
    file: task,
    find: "} else if (!(yield* options.run.inputComplete(name))) return false",
    replace: "}",
    hunter: "transactions"
  }
]

const landing: ReadonlyArray<Mutant> = [
  {
    rule: "rule 12",
    name: "a landing deletes its files when a swap fails",
    file: runLanding,
    find: "const swapped = yield* swapIn(landing, table, before, after, files)",
    replace: `const storage = yield* Storage
  const swapped = yield* swapIn(landing, table, before, after, files).pipe(
    Effect.onError(() => Effect.forEach(files, (file) => Effect.ignore(storage.delete(file.filePath))))
  )`,
    also: { find: "import { Decoder, ", replace: "import { Storage, Decoder, " },
    hunter: "transactions"
  },
  {
    rule: "rule 13",
    name: "the topic's id is not part of the mark's check",
    file: checkMarks,
    find: "if (mark.topicId !== topic.id) {",
    replace: "if (mark.topicId === undefined) {",
    hunter: "damage"
  },
  {
    rule: "rule 13",
    name: "the record before the mark is not compared",
    file: openTable,
    find: "if (batch.length > 0 && fingerprintOf(batch, 0) === mark.fingerprint) continue",
    replace: "if (batch.length >= 0) continue",
    hunter: "damage"
  },
  {
    rule: "rule 13",
    name: "a mark beyond the log's end is accepted",
    file: checkMarks,
    find: "if (mark.next > end || mark.next < start) {",
    replace: "if (mark.next < start) {",
    hunter: "damage"
  },
  {
    rule: "rule 14",
    name: "the mark check is skipped",
    file: swapIn,
    find: "if (known === undefined || !sameMarks(known, knownOf(before, known))) return Effect.fail(new MarkMoved())",
    replace: "if (known === undefined) return Effect.fail(new MarkMoved())",
    hunter: "transactions"
  },
  {
    rule: "rule 14",
    name: "another table of the same name is landed into",
    file: checkMarks,
    find: "if (metadata.tableUuid !== last.tableUuid) {",
    replace: "if (metadata.tableUuid === undefined) {",
    hunter: "damage"
  },
  {
    rule: "rule 14",
    name: "a mark moves without a snapshot when no record decoded",
    file: swapIn,
    find: "const actions = [append(files, marks), setProperties(marks)]",
    replace:
      "const actions = files.length === 0 ? [setProperties(marks)] : [append(files, marks), setProperties(marks)]",
    hunter: "transactions"
  },
  {
    rule: "rule 15",
    name: "a mark that no snapshot carries is believed",
    file: checkMarks,
    find: "if (carried !== undefined && sameMarks(carried, marks)) return marks",
    replace: "if (carried !== undefined) return marks",
    hunter: "damage"
  },
  {
    rule: "rule 15",
    name: "an older state of the table is landed into",
    file: checkMarks,
    find: "if (mark.next < position) {",
    replace: "if (mark.next < 0 * position) {",
    hunter: "damage"
  },
  {
    rule: "swap",
    name: "files are swapped in without their marks",
    file: swapIn,
    find: "const actions = [append(files, marks), setProperties(marks)]",
    replace: "const actions = [append(files, marks)]",
    hunter: "transactions"
  },
  {
    rule: "swap",
    name: "a file is referenced twice",
    file: stageAppend,
    find: "const manifests = [...added, ",
    replace: "const manifests = [...added, ...added, ",
    hunter: "transactions"
  },
  {
    rule: "swap",
    name: "a swap that lost is taken for one that won",
    file: pointerCatalog,
    find: "if (yield* this.pointers.swap(identifier, base.metadataLocation, metadataLocation)) {",
    replace: "if ((yield* this.pointers.swap(identifier, base.metadataLocation, metadataLocation)) || true) {",
    hunter: "transactions"
  },
  {
    rule: "swap",
    name: "metadata is offered before it is durable",
    file: pointerCatalog,
    find: `yield* write([staged])
      yield* faultPoint`,
    replace: `yield* Effect.forkDetach(Effect.ignore(this.fileIO.write([staged])))
      yield* write([])
      yield* faultPoint`,
    hunter: "transactions"
  },
  {
    rule: "swap",
    name: "a manifest list is named before it is durable",
    file: stageSnapshot,
    find: "yield* staged.add(yield* fileIO.stageManifestList(manifestList, owner, manifests))",
    replace:
      "yield* Effect.forkDetach(Effect.ignore(fileIO.write([yield* fileIO.stageManifestList(manifestList, owner, manifests)])))",
    hunter: "transactions"
  },
  {
    rule: "swap",
    name: "the log's position goes ahead of the swap",
    file: runLanding,
    find: "const swapped = yield* swapIn(landing, table, before, after, files)",
    replace: `yield* (yield* Log).commit({
    owner,
    shards: [{ id: shard, epochRead: inForce?.epoch ?? 0, positions: [...after.values()].map((mark) => ({ topic: topic.name, topicId: topic.id, partitions: topic.partitions, offset: mark.next })), snapshots: [], detail: inForce?.detail ?? { landed: null }, delta: null, outputs: [] }]
  })
  const swapped = yield* swapIn(landing, table, before, after, files)`,
    hunter: "transactions"
  },
  {
    rule: "mistake",
    name: "a mark is the offset of the last record, not the next",
    file: runLanding,
    find: "next: batch.offsets[batch.length - 1]! + 1,",
    replace: "next: batch.offsets[batch.length - 1]!,",
    hunter: "transactions"
  },
  {
    rule: "mistake",
    name: "rows of a failed attempt stay in the next one",
    file: runLanding,
    find: "const marks = new Map(from)",
    replace: "const marks = from as Map<number, Mark>",
    hunter: "accounts"
  }
]

const windows: ReadonlyArray<Mutant> = [
  {
    rule: "rule 11",
    name: "the watermark is stamped after filters",
    file: compileStageFile,
    find: 'if (computed._tag === "Expr") return `if (${condition}) ${follow}`',
    replace:
      'if (computed._tag === "Expr") return `if (${condition}) { ${consumersCode(emitter, operator, place)} } else continue;`',
    hunter: "accounts"
  },
  {
    rule: "rule 11",
    name: "one record that is far ahead moves time",
    file: "packages/engine/src/run/Lead.ts",
    find: "if (lead.inRow < (lead.key === undefined ? leadsInRowMin : leadsOfOneKeyMin)) return time.maxEventTime",
    replace: "",
    hunter: "transactions"
  },
  {
    rule: "window",
    name: "a pane is dropped before its lateness has passed",
    file: "packages/engine/src/window/PaneStore.ts",
    find: "lastEndOf(spec, buckets[0]!.start) + spec.allowedLatenessMs <= watermark",
    replace: "lastEndOf(spec, buckets[0]!.start) <= watermark",
    hunter: "transactions"
  },
  {
    rule: "window",
    name: "a late record is not entered in the ledger",
    file: "packages/engine/src/run/CompileWindow.ts",
    find: "if (${window}.refusal !== undefined) context.enter(",
    replace: 'if (${window}.refusal === "dropped") context.enter(',
    hunter: "transactions"
  },
  {
    rule: "window",
    name: "the ledger is not part of the epoch",
    file: takeCommit,
    find: "...(ledger === undefined ? [] : [ledger])",
    replace: "",
    hunter: "transactions"
  },
  {
    rule: "window",
    name: "revisions begin anew after a restart",
    file: windowState,
    find: "if (keyed !== undefined) (keyed.revisions ??= new Map<number, number>()).set(end, revision)",
    replace: "if (keyed !== undefined) void 0",
    hunter: "transactions"
  },
  {
    rule: "window",
    name: "windows that have fired fire again after a restart",
    file: windowState,
    find: "fired = watermark\n      if (closed)",
    replace: "fired = Number.NEGATIVE_INFINITY\n      if (closed)",
    hunter: "transactions"
  },
  {
    rule: "window",
    name: "a delta lacks the panes that were there before",
    file: windowState,
    find: "markChanged(pane)\n    if (sliding",
    replace: "if (pane.numbers[0] === 1) markChanged(pane)\n    if (sliding",
    hunter: "transactions"
  }
]

const upkeep: ReadonlyArray<Mutant> = [
  {
    rule: "rule 12",
    name: "orphan removal too young: it takes files of any age",
    file: "packages/lake/src/maintenance/RemoveOrphans.ts",
    find: "const old = modifiedMs < writtenBeforeMs",
    replace: "const old = modifiedMs < Number.POSITIVE_INFINITY",
    hunter: "accounts"
  },
  {
    rule: "rule 15",
    name: "expiry drops the ancestor that carries the marks",
    file: "packages/lake/src/maintenance/PlanExpiry.ts",
    find: "const depthMin = name === mainBranch ? carriedMarks(metadata).depth : 0",
    replace: "const depthMin = 0 * carriedMarks(metadata).depth",
    hunter: "accounts"
  },
  {
    rule: "upkeep",
    name: "compaction does not ask whether replaced files are still live",
    file: "packages/lake/src/maintenance/Compact.ts",
    find: "waiting.filter(({ group }) => group.files.every((file) => live.has(file.filePath)))",
    replace: "waiting",
    also: {
      file: "packages/lake/src/write/ReplaceFiles.ts",
      find: "if (missing !== 0) return",
      replace: "if (missing < 0) return"
    },
    hunter: "accounts"
  },
  {
    rule: "upkeep",
    name: "expiry deletes what a kept snapshot names by another manifest",
    file: "packages/lake/src/maintenance/Reachable.ts",
    find: "files.delete(fileKey(file.uri))",
    replace: "",
    hunter: "accounts"
  },
  {
    rule: "upkeep",
    name: "compaction leaves rows of the last file behind",
    file: "packages/lake/src/maintenance/Compact.ts",
    find: "const files = yield* rewriter.rewrite({ plan, group, publish: !dryRun })",
    replace:
      "const files = yield* rewriter.rewrite({ plan, group: { ...group, files: group.files.slice(0, -1) }, publish: !dryRun })",
    hunter: "accounts"
  }
]

const lookups: ReadonlyArray<Mutant> = [
  {
    rule: "rule 11",
    name: "records in flight are not in the epoch",
    file: lookupState,
    find: "if (entry.id >= this.told) came.push(encodeEntry(entry))",
    replace: "void entry",
    hunter: "lookups"
  },
  {
    rule: "rule 11",
    name: "records that left a lookup stay in the state",
    file: lookupState,
    find: "if (entry.id < this.told) this.went.push(entry.id)",
    replace: "",
    hunter: "lookups"
  },
  {
    rule: "mistake",
    name: "a bounded run ends while records are in flight",
    file: runAskers,
    find: "context.lookups.every((lookup) => lookup.size() === 0)",
    replace: "context.lookups.length > 0",
    hunter: "lookups"
  }
]

export const mutants: ReadonlyArray<Mutant> = [
  ...logStage,
  ...lookups,
  ...landing,
  ...windows,
  ...patternMutants,
  ...joinMutants,
  ...endMutants,
  ...portMutants,
  ...windowMutants,
  ...repartitionMutants,
  ...keyedMutants,
  ...upkeep,
  ...retentionMutants,
  ...storeMutants,
  ...sharingMutants,
  ...totalMutants
]
