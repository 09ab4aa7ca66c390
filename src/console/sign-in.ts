import type { Translate } from "../languages/translate.js";
import { button, h, say } from "./dom.js";
import { whyNotIn } from "./words.js";

interface SignIn {
  readonly element: HTMLElement;
  focus(): void;
}

interface SignInOptions {
  readonly t: Translate;
  /** Why somebody stands here again. */
  readonly note: string;
  /** @throws StationError where the token opens nothing */
  onToken(token: string): Promise<void>;
  readonly otherLanguage: { readonly name: string; choose(): void };
}

/**
 * Asks for a technician's token. It goes into the variable of this page and nowhere else, no storage of the browser either: that is on the
 * disk, and this browser may be the kiosk's own.
 */
export function signIn({ t, note, onToken, otherLanguage }: SignInOptions): SignIn {
  const problem = h("p", { class: "problem", role: "alert", text: note });
  const input = h("input", {
    id: "token",
    type: "password",
    name: "token",
    required: true,
    maxlength: 256,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "token-hint",
  });
  const enter = h("button", { type: "submit", class: "button primary", text: t`Sign in` });
  const form = h(
    "form",
    { class: "card sign-in", on: { submit: (event) => void submit(event) } },
    h("h1", { text: t`Technicians’ console` }),
    h("label", { class: "field", for: "token" }, t`Your token`, input),
    h("p", {
      id: "token-hint",
      class: "soft",
      text: t`This page forgets it when it is closed or loaded again. Root makes one: sudo stationd token add NAME`,
    }),
    enter,
    problem,
    button(otherLanguage.name, otherLanguage.choose, { class: "button language", lang: otherLanguage.name === "English" ? "en" : "vi" }),
  );
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    say(problem, "");
    enter.disabled = true;
    say(enter, t`Signing in …`);
    try {
      await onToken(input.value.trim());
    } catch (error) {
      say(problem, whyNotIn(error, t));
      input.select();
      input.focus();
    } finally {
      enter.disabled = false;
      say(enter, t`Sign in`);
    }
  };
  return { element: h("main", { class: "entrance", id: "content" }, form), focus: () => input.focus() };
}
