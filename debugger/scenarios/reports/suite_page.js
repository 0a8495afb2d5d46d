"use strict";
const form = document.getElementById("filters");
const articles = [...document.querySelectorAll("article.result")];
function filter() {
  const chosen = new FormData(form);
  const outcomes = chosen.getAll("outcome");
  const tag = chosen.get("tag");
  const text = chosen.get("text").trim().toLowerCase();
  let shown = 0;
  for (const article of articles) {
    const fits =
      outcomes.includes(article.dataset.outcome) &&
      (!tag || JSON.parse(article.dataset.tags).includes(tag)) &&
      article.dataset.name.toLowerCase().includes(text);
    article.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").value = `${shown} of ${articles.length} shown`;
}
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
filter();
