/**
 * Takes what a person answers on the pages of a sign-in.
 *
 * Every form names the sign-in that it belongs to, by a number that nobody can guess, and is taken only from the browser
 * that the sign-in began in: no other site can answer in a person's place, nor have a person answer its own.
 */

import { findUser } from "./directory.ts";
import { advance, type Interaction, newSession } from "./interaction.ts";
import { requireSingleValues } from "./parameters.ts";
import { resolveTenant, type Route, type Sts } from "./route.ts";
import { browserOf, type Session } from "./sessions.ts";
import { StsError } from "./sts_error.ts";
import { errorPage } from "./error_page.ts";

export const loginRoute: Route = {
  endpoint: "login",
  methods: ["POST"],
  path: "/login",
  handle(call, sts) {
    resolveTenant(call, sts);
    requireSingleValues(call.form);
    const flow = call.form.get("flow") ?? "";
    const interaction = sts.state.interactions.find(flow);
    if (interaction === undefined || interaction.browser !== browserOf(call, sts)) {
      throw new StsError(165000);
    }
    if (call.form.get("answer") === "cancel") {
      sts.state.interactions.forget(flow);
      return Promise.resolve(interaction.goal.refuse(new StsError(65004)));
    }
    const wrong = takeAnswer(interaction, call.form, sts);
    try {
      return Promise.resolve(advance(interaction, flow, sts, wrong));
    } catch (error) {
      // Somebody else may still sign in: the browser's way back leads to the choice of a user.
      delete interaction.session;
      throw error;
    }
  },
  refuse: errorPage,
};

/** Notes what the form says; tells what is wrong with it. */
function takeAnswer(
  interaction: Interaction,
  form: URLSearchParams,
  sts: Sts,
): string | undefined {
  switch (form.get("answer")) {
    case null:
      return interaction.session === undefined ? identify(interaction, form, sts) : undefined;
    case "other":
      delete interaction.candidate;
      break;
    case "approve":
      approve(interaction, sts);
      break;
    case "confirm":
      interaction.confirmed = interaction.session !== undefined;
      break;
    case "accept":
      interaction.consented = interaction.session !== undefined;
      break;
  }
  return undefined;
}

/** Takes a user's name, or the password of the one whose name was taken. */
function identify(
  interaction: Interaction,
  form: URLSearchParams,
  sts: Sts,
): string | undefined {
  const { candidate } = interaction;
  const name = form.get("user");
  const password = form.get("password");
  if (name !== null) return choose(interaction, name.trim(), sts);
  if (candidate === undefined || password === null) return undefined;
  if (password !== candidate.password) return "Your account or password is incorrect.";
  start(interaction, newSession(candidate, sts.now()), sts);
  return undefined;
}

/** The second factor. */
function approve(interaction: Interaction, sts: Sts): void {
  const { session } = interaction;
  if (session === undefined || session.methods.includes("mfa")) return;
  start(interaction, { ...session, methods: [...session.methods, "mfa"] }, sts);
}

function choose(interaction: Interaction, name: string, sts: Sts): string | undefined {
  const user = findUser(sts.directory.users, name);
  if (user === undefined) return "We couldn’t find an account with that username.";
  const known = interaction.usesSessions
    ? sts.state.sessions.of(interaction.browser, sts.now()).find((session) => session.user === user)
    : undefined;
  if (known !== undefined) interaction.session = known;
  else if (user.password !== undefined) interaction.candidate = user;
  else start(interaction, newSession(user, sts.now()), sts);
  return undefined;
}

function start(interaction: Interaction, session: Session, sts: Sts): void {
  interaction.session = session;
  sts.state.sessions.signIn(interaction.browser, session);
}
