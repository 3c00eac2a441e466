import "./main.css";

document.querySelector("#version").textContent = VERSION;

// A part of the page that is loaded when somebody wants to see it.
document.querySelector("#about").addEventListener("click", async (event) => {
  event.preventDefault();
  history.pushState({}, "", "/about");
  const { about } = await import("./about.js");
  document.querySelector("main").append(about());
});
