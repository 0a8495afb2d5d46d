"""Parts of the page that lists the runs of the backend."""
