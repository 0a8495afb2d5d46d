// New elements, and marked text: a part of the components that list something.

function made(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

// Whether the user has just marked some text to copy it, which ends in a click as well.
function isReading(it) {
  const root = it.root.getRootNode(), marked = (root.getSelection || document.getSelection).call(root.getSelection ? root : document);
  return Boolean(marked && !marked.isCollapsed && marked.toString().trim());
}
