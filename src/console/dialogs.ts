import { button, h } from "./dom.js";

interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly no: string;
}

/** Shows a dialog until it is closed, by whatever means, and takes it away. */
export function opened(dialog: HTMLDialogElement): Promise<void> {
  document.body.append(dialog);
  const closed = new Promise<void>((resolve) => dialog.addEventListener("close", () => resolve(), { once: true }));
  dialog.showModal();
  return closed.finally(() => dialog.remove());
}

/** What somebody answered; undefined where they turned away, with Escape. */
export async function confirmed({ title, text, yes, no }: Question): Promise<boolean | undefined> {
  let answer: boolean | undefined;
  const say = (value: boolean) => () => {
    answer = value;
    dialog.close();
  };
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "question-title" },
    h("h2", { id: "question-title", text: title }),
    h("p", { text }),
    h("div", { class: "actions" }, button(no, say(false), { class: "button" }), button(yes, say(true), { class: "button primary" })),
  );
  await opened(dialog);
  return answer;
}
