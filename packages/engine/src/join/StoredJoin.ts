/** What every join on disk has of its keys, whatever kind of join it is. */
import type { StoredCounts } from "../store/StoredMap.ts"
import { entriesOfKey } from "./JoinCodec.ts"
import type { JoinPlan } from "./JoinPlan.ts"
import { type OpenJoin, StoredJoinKeys } from "./StoredJoinKeys.ts"

export abstract class StoredJoin<Spec extends JoinPlan["spec"]> {
  readonly name: string
  protected readonly plan: JoinPlan
  protected readonly spec: Spec
  protected readonly keys: StoredJoinKeys
  protected closed = false

  /** `spanMs` is how far ahead keys become due. */
  constructor(plan: JoinPlan, spec: Spec, open: OpenJoin, spanMs: number) {
    this.name = plan.name
    this.plan = plan
    this.spec = spec
    this.keys = new StoredJoinKeys(plan, { ...open, spanMs })
  }

  nextAt(): number {
    return this.keys.nextAt() + this.spec.allowedLatenessMs
  }

  takeDelta(): unknown {
    return this.keys.takeDelta()
  }

  entriesOf(entries: unknown, key: string): unknown {
    return entriesOfKey(entries, key)
  }

  // asked for by itself
  readonly stored = (): StoredCounts => this.keys.stored()

  discard(): void {
    this.keys.discard()
  }

  size(): number {
    return this.keys.size()
  }
}
