"""The preview by real Astro: a dev server for each session, all of them in one Node process.

browser -- load balancer -- edit -- proxy --> dev server of the session (Astro, Vite)
                             |                      ^
        branch head --> checkout on local disk -----+ notified of each changed file (host.mjs)

Pages and modules come through `/session/{id}/`, Vite's own socket through `/ws/hmr/{id}`. The files are those of the
branch's head, kept in a folder of this task's own: on a shared workspace nothing tells a task of another's changes,
and a working tree is now and then half written.
"""
