import type { Printer } from '../printer.ts';

/** A plan of changes that a command prints and carries out. */
export interface Planned<Action, Document> {
  readonly actions: readonly Action[];
  readonly execute: boolean;
  readonly isJson: boolean;
  readonly lineOf: (action: Action) => string;
  readonly documentOf: (action: Action) => Document;
  /** Carries out the actions and calls `onDone` after each. */
  readonly apply: (onDone: (action: Action) => Promise<void>) => Promise<void>;
  /** The document, with `done` false for what was not carried out. */
  readonly whole: (actions: readonly (Document & { readonly done: boolean })[]) => object;
  /** Printed if there is nothing to do. */
  readonly allThere: string;
}

/** Prints each action of a plan; with `execute`, as it is done. The JSON has what was done even if an action fails. */
export async function carryOut<Action, Document>(
  printer: Printer,
  { actions, execute, isJson, lineOf, documentOf, apply, whole, allThere }: Planned<Action, Document>,
): Promise<void> {
  const done = new Set<Action>();
  try {
    if (execute) {
      await apply(async (action) => {
        done.add(action);
        if (!isJson) await printer.text(`${lineOf(action)}: done\n`);
      });
    } else if (!isJson) {
      await printer.text(actions.map((action) => `${lineOf(action)}\n`).join(''));
    }
  } finally {
    if (isJson) {
      const documents = actions.map((action) => ({ ...documentOf(action), done: done.has(action) }));
      await printer.text(`${JSON.stringify(whole(documents))}\n`);
    }
  }
  if (isJson) return;
  if (actions.length === 0) await printer.text(`${allThere}\n`);
  else if (!execute) await printer.text('nothing changed; add --execute\n');
}
