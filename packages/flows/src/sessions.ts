/**
 * Sessions of a shop's users: what each did until a pause of more than half an hour, as one summary, once.
 *
 * A click that comes more than a minute out of order may be too late for its session: it is in the ledger then, and the
 * summary stays as it is.
 */
import type { Timestamp } from "@frazil/core"
import { collect, count, Flow, Job, max, Window } from "@frazil/engine"
import { Clickstream, SessionSummaries } from "@frazil/model"

/** Products and categories that a summary names: the first so many. */
const namesMax = 1_000

const sessions = Flow.from(Clickstream).pipe(
  Flow.eventTime("timestamp", { outOfOrderness: "1 minute" }),
  Flow.keyBy("user_id"),
  Flow.window(
    Window.session("30 minutes", { allowedLateness: "0s", max: "1 day" }),
    {
      clicks: count(),
      ended: max("timestamp"),
      products: collect("product_id", { valuesMax: namesMax, distinct: true }),
      categories: collect("category", { valuesMax: namesMax, distinct: true })
    },
    { name: "sessions" }
  )
)

/** In whole milliseconds: a time may hold microseconds. */
const durationMs = (from: Timestamp, to: Timestamp): number => Math.floor(to - from)

export const sessionSummaries = Job.make("session-summaries", [
  sessions.pipe(
    Flow.map(({ categories, clicks, ended, products, user_id, window_start }) => ({
      user_id,
      session_start_time: window_start,
      session_end_time: ended,
      clicks,
      products,
      categories,
      duration_ms: durationMs(window_start, ended)
    })),
    Flow.to(SessionSummaries)
  )
])
