"""Shows an Astro site without building it: the subset of Astro that the sample site is written in.

    source --(frontmatter, template)--> document --(props, slots)--> HTML

Supported: imports of `.astro` components by relative path; `const` with a literal; `Astro.props`, destructured
with defaults or read; expressions that are a name, a member, a literal, a template literal, or `a ?? b`;
components, props, default and named slots with fallback content; fragments; `<style>`, `<script>` and comments
as they stand. Anything else is an error that names the file and the line, never a silent blank.
"""

from .errors import PreviewError
from .site import Answer, Site

__all__ = ["Answer", "PreviewError", "Site"]
