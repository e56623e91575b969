// From sign-up to donation, as the people of a programme do it: synthetic, against a running `./popcandy up`.

import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import createClient from "openapi-fetch";
import type { components as Activities, paths as ActivitiesPaths } from "./generated/activities.js";
import type { components as Ledger, paths as LedgerPaths } from "./generated/ledger.js";

type Who = { role: string; person?: string; partner?: string };
type Json = "application/json" | "application/problem+json"; // Lists are to be had as CSV and XLSX too.
type Refusal = { code: string; title: string };

const URL_OF_APIS = process.env["POPCANDY_URL"] ?? "http://127.0.0.1:8022";
const POPCANDY = fileURLToPath(new URL("../../../popcandy", `file://${process.argv[1]}`));
const MINUTE_MS = 60_000;
const SERVED_MINUTES = 120;

/** A token from POPCANDY_TOKEN_<ROLE>, else from the platform's own issuer, which does not exist in production. */
function tokenOf({ role, person, partner }: Who): string {
  const given = process.env[`POPCANDY_TOKEN_${role.toUpperCase()}`];
  if (given) return given;
  const more = [...(person ? ["--person", person] : []), ...(partner ? ["--partner", partner] : [])];
  return execFileSync(process.env["POPCANDY_COMMAND"] ?? POPCANDY, ["token", "--role", role, ...more], { encoding: "utf8" }).trim();
}

function headersOf(who: Who): Record<string, string> {
  return { authorization: `Bearer ${tokenOf(who)}`, "accept-language": "en" };
}

const activities = (who: Who) => createClient<ActivitiesPaths, Json>({ baseUrl: URL_OF_APIS, headers: headersOf(who) });
const ledger = (who: Who) => createClient<LedgerPaths, Json>({ baseUrl: URL_OF_APIS, headers: headersOf(who) });

/** What was answered, or an error that names the problem's code. */
function done<Data>(answer: { data?: Data; error?: Refusal }): Data {
  if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.title}`);
  return answer.data as Data;
}

/** Agree on CNY 100 an hour, by two people of finance; a programme that has terms already keeps them. */
async function agreeOnTerms(): Promise<void> {
  const body: Ledger["schemas"]["ProposePolicyVersion"] = {
    effective_from: "2022-01-01T00:00:00+08:00",
    fen_per_hour: 10_000,
    step_minutes: 30,
    min_minutes: 30,
    max_minutes: 480,
  };
  const proposed = done(await ledger({ role: "finance" }).POST("/api/ledger/policy-versions", { body }));
  const { error } = await ledger({ role: "finance_approver" }).POST("/api/ledger/policy-versions/{policy_version_id}/approve", {
    params: { path: { policy_version_id: proposed.id }, header: { "If-Match": "*" } },
  });
  if (error && error.code !== "policy_overlap") throw new Error(error.code);
}

const mark = Date.now().toString(36);
const startsAt = new Date(Math.floor(Date.now() / MINUTE_MS - SERVED_MINUTES) * MINUTE_MS);
const endsAt = new Date(startsAt.getTime() + 2 * SERVED_MINUTES * MINUTE_MS);

await agreeOnTerms();
const operator = activities({ role: "operator" });
const host = done(
  await operator.PUT("/api/activities/partners/{reference}", {
    params: { path: { reference: `P-${mark}` } },
    body: { name: "合成伙伴 (synthetic)", agreement: "signed", since: "2022-01-01" },
  }),
);
const person = done(
  await operator.POST("/api/activities/volunteers", {
    body: { employee_number: `E-${mark}`, display_name: "合成志愿者 (synthetic)" },
  }),
);
const listing: Activities["schemas"]["Listing"] = done(
  await operator.POST("/api/activities/listings", {
    body: {
      partner_id: host.id,
      reference: `L-${mark}`,
      title: "合成活动 (synthetic)",
      timezone: "Asia/Shanghai",
      shifts: [{ starts_at: startsAt.toISOString(), ends_at: endsAt.toISOString(), capacity: 1 }],
    },
  }),
);
const shift = listing.shifts[0];
if (shift === undefined) throw new Error("the listing has no shift");
const at = { params: { path: { shift_id: shift.id } } };

const partner = activities({ role: "partner", partner: host.id });
const volunteer = activities({ role: "volunteer", person: person.id });
done(await volunteer.POST("/api/activities/shifts/{shift_id}/sign-ups", at));
console.log("signed up");

const shown = done(await partner.GET("/api/activities/shifts/{shift_id}/code", at));
done(await volunteer.POST("/api/activities/shifts/{shift_id}/check-ins", { ...at, body: { code: shown.code } }));
console.log("checked in; the code changes every half minute");
await pause(Math.max(0, Date.parse(shown.valid_until) - Date.now()) + 500);

const later = done(await partner.GET("/api/activities/shifts/{shift_id}/code", at));
done(await volunteer.POST("/api/activities/shifts/{shift_id}/check-outs", { ...at, body: { code: later.code } }));
console.log("checked out");

// Whoever runs this serves for half a minute; the operator notes the two hours that somebody else would have.
const recorded = done(await operator.GET("/api/activities/attendances", { params: { query: { shift_id: shift.id } } }));
for (const attendance of recorded.items) {
  done(
    await operator.POST("/api/activities/attendances/{attendance_id}/corrections", {
      params: { path: { attendance_id: attendance.id }, header: { "If-Match": `"${attendance.version}"` } },
      body: {
        checked_in_at: startsAt.toISOString(),
        checked_out_at: new Date(startsAt.getTime() + SERVED_MINUTES * MINUTE_MS).toISOString(),
        evidence: "attested",
        reason: "synthetic: the example does not wait for two hours",
      },
    }),
  );
}

const finance = ledger({ role: "finance" });
const deadline = Date.now() + MINUTE_MS;
for (;;) {
  const { items } = done(await finance.GET("/api/ledger/donations", { params: { query: { shift_id: shift.id } } }));
  const donation = items.find((each) => each.credited_minutes === SERVED_MINUTES);
  if (donation) {
    console.log(`donation: ${donation.credited_minutes} minutes, CNY ${(donation.amount.fen / 100).toFixed(2)}`);
    break;
  }
  if (Date.now() > deadline) throw new Error("the donation did not come within a minute");
  await pause(500);
}
