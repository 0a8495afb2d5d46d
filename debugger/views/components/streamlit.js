// Streamlit and the page, as a component sees them. It takes a root, which has its markup, its data, and `emit` for its
// events; what it has to find of the page around it are these selectors.

const AROUND = {
  dialog: '[data-testid="stDialog"]', // has the keyboard for itself
  closesDialog: '[aria-label="Close"]',
  opened: '[data-testid="stPopoverBody"], [role="listbox"], [role="menu"], :root[data-menu]', // Escape closes it before a bar hears the key
  messageBox: ".st-key-message",
  startsTurn: ".st-key-head_bar, .st-key-message, .st-key-start_bar, .st-key-restart, .st-key-more", // or has the keyboard meanwhile
  demo: ":root[data-demo]",
  panes: ".st-key-panes",
  abovePanes: '[role="dialog"], [role="menu"], [role="listbox"], [data-testid="stPopoverBody"], .st-key-live_editor, :root[data-menu]',
  engineerPane: ".st-key-look_pane", // which the demo view has not
  surroundings: ".st-key-head, .st-key-bar_pane, .st-key-graph_pane", // of a run in the demo view
  viewSwitch: [".st-key-head_end", ".st-key-skin button"], // where its bar is, and the control in it
};

// Streamlit keeps the last value of an event that is KEPT, and tells of each other one once.
export function adapt(draw, given) {
  const { parentElement: root, data, setStateValue, setTriggerValue } = given;
  const emit = (event, value) => (KEPT.includes(event) ? setStateValue : setTriggerValue)(event, value);
  return draw({ root, data, emit, around: AROUND });
}
