/**
 * Clicks of a shop's users from a seed: records of `clickstream` as JSON bytes.
 *
 * RunGenerator paces it. Pure. **Guarantees**: the same seed and the same arrival times give the same bytes. Some users are
 * there at a time; each looks at products of one category, then of another, and leaves. Who left may come back.
 */
import { makeRandom } from "./Random.ts"
import type { RecordSource } from "./RecordSource.ts"
import { byKeyBytes, makeRecordText } from "./RecordText.ts"

export interface ClickOptions {
  /** An integer. */
  readonly seed: number
}

const usersCount = 20_000
const presentCount = 200
const clicksMax = 25
const productsPerCategory = 250
const categories = ["books", "garden", "kitchen", "music", "shoes", "sports", "toys", "travel"]
/** Looking is more frequent than buying. */
const eventTypes = ["product_view", "product_view", "product_view", "page_view", "search", "add_to_cart", "purchase"]

interface Visitor {
  user: string
  clicks: number
  category: number
}

export const makeClicks = ({ seed }: ClickOptions): RecordSource => {
  const random = makeRandom(seed)
  const record = makeRecordText()
  const arrive = (): Visitor => ({
    user: `U${String(1 + random.below(usersCount)).padStart(5, "0")}`,
    clicks: 1 + random.below(clicksMax),
    category: random.below(categories.length)
  })
  const present = Array.from({ length: presentCount }, arrive)
  const productOf = ({ category }: Visitor) => {
    const product_id = `P${1 + category * productsPerCategory + random.below(productsPerCategory)}`
    return { product_id, category: categories[category]! }
  }
  return {
    partitioner: byKeyBytes,
    next: (arrivalMs) => {
      const at = random.below(presentCount)
      const visitor = present[at]!
      const event_type = eventTypes[random.below(eventTypes.length)]!
      if (random.below(10) === 0) visitor.category = random.below(categories.length)
      const json = JSON.stringify({
        user_id: visitor.user,
        event_type,
        ...(event_type === "page_view" || event_type === "search" ? {} : productOf(visitor)),
        timestamp: new Date(arrivalMs).toISOString()
      })
      if (--visitor.clicks === 0) present[at] = arrive()
      return record(json, visitor.user)
    }
  }
}
