// kaspad-taskd: client and components for wizards. Made from web/embed/src by its bundle.py.
// Socket.IO's client inside: (c) 2014-2026 Guillermo Rauch, MIT License.
const m_______static_en_js = { default: {"unknown":"unknown","type":{"node-sync":{"short":"node","long":"Node sync"},"indexer-sync":{"short":"indexer","long":"Indexer sync"},"database-migration":{"short":"database","long":"Database migration"},"command":{"short":"command","long":"Command"},"http-json":{"short":"http","long":"HTTP endpoint"},"report":{"short":"report","long":"Reported work"}},"running":{"node-sync":"syncing","indexer-sync":"catching up","database-migration":"migrating","other":"running"},"idle":{"migration-idle":"not migrating now","migration-interrupted":"interrupted","version-table-missing":"not migrated yet"},"done":{"node-sync":"ready","indexer-sync":"caught up","database-migration":"migrated","other":"done"},"headline":{"alike":"{name} ({id})","not-started":"{name} is not watched yet","waiting":"{name} starts by itself when {names} is complete","first-check":"{name}: the first answer is on its way","unusable":["{name} has given no answer that can be used: {why}","{name} has given no answer that can be used"],"running":"{name} is {word}","left-ready":"{name} is {word}, about {eta:left} left, ready around {when}","stalled":"{name} has not moved for {since:span}","unreachable":"{name} has not answered for {since:span}","paused":"Watching {name} is paused since {when}; the work itself goes on","complete":["{name} is {word} since {when}, after {took:left}","{name} is {word} since {when}","{name} is {word}"],"error":["{name} failed: {error}","{name} failed"],"cancelled":["Watching {name} was stopped at {when}; the work itself was not touched","Watching {name} was stopped"],"none":"Nothing is watched yet"},"attention":{"unreachable":"{name} has not answered for {since:span}: {why}","stalled":"{name} has not moved for {since:span}: {why}","error":["{name} failed: {error}","{name} failed"],"disk":"{name}: {why}","count":{"one":"{n} of {total} needs attention","other":"{n} of {total} need attention"},"services":{"one":"{n} service needs attention","other":"{n} services need attention"}},"last-seen":["{percent} at {when}","{percent}"],"reason":{"refused":{"note":["{address} refuses: stopped, still starting, or listening elsewhere.","It refuses the connection: stopped, still starting, or listening elsewhere."],"brief":["{address} refuses","connection refused"]},"timeout":{"note":["No answer within {seconds:span}: it is busy, which is normal while it writes much, or it hangs.","No answer in time: it is busy, which is normal while it writes much, or it hangs."],"brief":["no answer within {seconds:span}","no answer in time"]},"stream-closed":{"note":["{address} opened a WebSocket and closed it at the first question: it is going down, or it speaks {likely}.","{address} closed the connection instead of answering: it is still starting (a container's port takes connections before the program in it does), it is going down, or another program listens there.","It closed the connection instead of answering: it is still starting (a container's port takes connections before the program in it does), it is going down, or another program listens there."],"brief":["{address} closes the connection","connection closed"]},"busy":{"note":"It takes no further client at the moment.","brief":"it takes no further client"},"stopping":{"note":"It says that it is going down.","brief":"it is going down"},"name-unknown":{"note":["The name {host} is not known: a typing error, or the resolver does not answer.","The name {address} is not known: a typing error, or the resolver does not answer.","Its name is not known: a typing error, or the resolver does not answer."],"brief":["the name {host} is not known","the name of {address} is not known","its name is not known"]},"network-down":{"note":["There is no way to {address} at the moment: the network or its host is down.","There is no way to it at the moment: the network or its host is down."],"brief":["no way to {address}","no way to it"]},"bad-answer":{"note":["{program}: {detail}.","Its answer cannot be used: {detail}.","Its answer cannot be used: it is garbled, too large, or of another shape."],"brief":"its answer cannot be used"},"not-ready":{"note":["It answers that it is not ready yet (HTTP {status}).","It answers that it is not ready yet."],"brief":"it is not ready yet"},"forbidden":{"note":["{socket} is a socket of kaspad-taskd itself, which no task is allowed to ask.","This task is not allowed to ask {address}: allow it in allow_hosts of kaspad-taskd.toml.","This task is not allowed to ask that address: allow it in allow_hosts of kaspad-taskd.toml."],"brief":["{socket} is kaspad-taskd's own","asking {address} is not allowed","asking it is not allowed"]},"own-limit":{"note":["kaspad-taskd itself may open no more files (its limit is {limit:number}): this says nothing of what it watches.","kaspad-taskd itself may open no more files: this says nothing of what it watches."],"brief":"kaspad-taskd may open no more files"},"checker-fault":{"note":["The checker itself failed; the log has it under {incident}.","The checker itself failed; the log of kaspad-taskd says how."],"brief":"the checker itself failed"},"library-missing":{"note":["The Python library {stale} is installed, but this process cannot load it: it, or Python, was replaced while kaspad-taskd runs on: restart kaspad-taskd.","The Python library {library} is missing: apt install python3-{library} (in a virtual environment: pip install {library}), then restart kaspad-taskd.","A Python library is missing: the log of kaspad-taskd names it."],"brief":["the library {stale} was replaced, restart kaspad-taskd","the library {library} is missing","a library does not load"]},"wrong-network":{"note":["It is on {network}, the task expects {expected}.","It is on another network than the task expects."],"brief":["it is on {network}, not {expected}","it is on another network"]},"wrong-program":{"note":["{address} answers in another protocol than the definition names: {protocol}.","{program} answers at {address}, not {expected}.","Another program than {expected} answers there.","Another program answers there."],"brief":"something else than expected answers there"},"credentials":{"note":["{user} is not allowed to see {object}.","The database {database} cannot be asked: {problem}.","It rejects the credentials of {user}.","The file {file} cannot be read, or holds no single line.","The file {certificates} cannot be read, or holds no certificate in PEM form.","The file {client} cannot be read, or does not hold a certificate and its key (unlocked) in PEM form.","The user of kaspad-taskd is not allowed to use the socket {socket}.","It rejects the credentials."],"brief":["{reader} is not allowed to read {relation}","{reader} lacks a right in its database","{user} is not allowed to see {object}","the database {database} cannot be asked","its credentials are missing or rejected"]},"checker-error":{"note":["The work says that it failed: {text}","The work says that it failed."],"brief":"the work says that it failed"},"gave-up":{"note":["No movement for {seconds:span}, which is as long as give_up_after allows.","No movement for as long as give_up_after allows."],"brief":"no movement for too long"},"by-request":{"note":["A program reported the failure: {text}","A program reported the failure."],"brief":"failed by request"},"no-movement":{"note":["It answers, but nothing has moved for {seconds:span}.","It answers, but nothing moves."],"brief":"it answers, but nothing moves"},"movement-unseen":{"note":"Whether it moves cannot be seen: it tells nothing that could show a standstill.","brief":"whether it moves cannot be seen"},"no-peers":{"note":"It has no peers.","brief":"it has no peers"},"peer-silent":{"note":["Peer after peer goes silent, {count} so far, and nothing moves.","It waits for a peer that sends nothing; it usually takes another one by itself within 10 minutes."],"brief":["peer after peer goes silent, {count} so far","the peer it downloads from sends nothing"]},"network-stands-still":{"note":"It has all that its peers have, but the newest block is old: it, or the network, makes no blocks.","brief":"it, or the network, makes no blocks"},"node-not-synced":{"note":"It waits until its node is synced.","brief":"its node is not synced"},"node-lost":{"note":"Its node cannot be reached, so it does not answer either.","brief":"its node cannot be reached"},"database-lost":{"note":"Its database cannot be reached, so it does not answer either.","brief":"its database cannot be reached"},"db-prompt":{"note":"kaspad asks a question about its database at its start and ends, as nobody answers (so says its log).","brief":"kaspad asks about its database, and nobody answers"},"node-locked":{"note":"kaspad ended, because another kaspad uses its data directory (so says its log); two cannot share one.","brief":"another kaspad uses its data directory"},"file-limit":{"note":"kaspad ended, because its limit of open files is too low (so says its log).","brief":"its limit of open files is too low"},"node-panicked":{"note":"kaspad crashed: a line of its log with \"panicked\" tells where and why.","brief":"kaspad crashed"},"ibd-errors":{"note":["The sync broke off {count:number} times in the last hour.","The sync breaks off again and again."],"brief":"the sync breaks off again and again"},"disk-full":{"note":["It ended because its disk was full; {again:bytes} are free now.","It ended because its disk is full: {left:bytes} are free.","Only {free:bytes} are free on its disk.","It ended because its disk was full (so says its log)."],"brief":["its disk was full, {again:bytes} are free now","its disk is full, {left:bytes} are free","its disk was full"]},"clock-skew":{"note":["The clock of this host is about {skew:number} s {way}, as peers and blocks tell: how far the node is behind cannot be told.","The clock of this host is {least:number} s {way} or more, as peers and blocks tell: how far the node is behind cannot be told.","The clock of this host is wrong: how far the node is behind cannot be told."],"brief":"the clock of this host is wrong"},"crash-loop":{"note":["It ends and is started again, at least {count} times in the last hour; the step it came to: {phase:step}.","It ends and is started again, at least {count} times in the last hour.","It ends and is started again and again."],"brief":"it ends again and again"},"cut-off":{"note":"It has peers, but nothing at all comes from any of them: the node seems to be cut off from the network.","brief":"it seems to be cut off from the network"},"lock-wait":{"note":["The migration waits for a lock of session {pid}.","The migration waits for another session's lock."],"brief":"it waits for a lock"},"silent-report":{"note":["Its program has not reported for {seconds:span}.","Its program has stopped reporting."],"brief":"its program has stopped reporting"},"run-lost":{"note":["The process that reported it ({pid}) has ended without a word: nobody knows how the work ended, or whether it goes on.","The process that reported it has ended without a word: nobody knows how the work ended, or whether it goes on."],"brief":"the process that reported it has ended without a word"}},"hint":{"refused":{"do":["systemctl status {unit}","docker ps -a --filter name={container}","See whether it runs, and what its log says; then check the address and the port."]},"timeout":{"do":"It usually passes. If it does not, see what its log says, then raise timeout in the definition."},"stream-closed":{"do":["If it speaks {likely}: name its gRPC port (mainnet: 16110) in the definition, or start kaspad with --rpclisten-json.","Wait a minute. If it stays so, see whether it is up (docker ps, its log), then check the address and the port."]},"other-protocol":{"says":["Port {port} speaks {protocol}; {url} is the address to try.","This port speaks another protocol."],"do":["Write {url} in the definition.","Check the address and the port."]},"name-unknown":{"do":["getent hosts {host}","Check the address."]},"wrong-network":{"do":["Correct network in the definition ({expected}), or the address.","Correct network in the definition, or the address."]},"wrong-program":{"do":"Check the address and the port."},"credentials":{"do":["Name it in kaspad-taskd.toml: [databases.{unnamed}] with its dsn_file","Correct the dsn_file of [databases.{database}] in kaspad-taskd.toml, or what it holds","Let the daemon's user read {file}, or correct it","Have a proxy that only reads offer what is asked for on a socket of its own. Whoever joins the group of docker, podman or lxd is root there.{socket:yes}","Correct the password of {user} in the file that holds it","Correct the file that headers of the definition names (HTTP {status})"]},"node-not-synced":{"do":"Wait: it goes on by itself."},"db-prompt":{"do":["journalctl -u {unit} -n 30 shows the question; if yes is the right answer, start it with --yes","journalctl CONTAINER_NAME={container} -n 30 shows the question; if yes is the right answer, start it with --yes","Read the question at the end of its log; if yes is the right answer, start it with --yes."]},"no-peers":{"do":["Allow it to reach others at TCP port {port} (firewall, router), and to ask the DNS.","Allow it to reach others at TCP port 16111 (firewall, router), and to ask the DNS."]},"peer-silent":{"do":["{count} peers were silent: check the network of the node's host (VPN, firewall, router), then restart the node (this may repeat the current step).","If that lasts for 30 minutes, restart the node (this may repeat the current step)."]},"network-stands-still":{"do":"Compare with a block explorer: if it has newer blocks, restart the node, else wait."},"ibd-errors":{"do":["journalctl -u {unit} -g 'IBD with peer' -n 20","journalctl CONTAINER_NAME={container} -g 'IBD with peer' -n 20","Look for \"IBD with peer\" in its log: the lines tell the error."]},"disk-full":{"do":["Start it again: {again:bytes} are free.","Free space: it ends when these {free:bytes} are used.","Free space, then start it again if nothing does."],"brief":["only {free:bytes} are free on its disk, and no more than {inodes:number} files fit there","only {free:bytes} are free on its disk"]},"disk-runway":{"says":["No more files fit on its disk in about {seconds:left}, before {work} ends{before:yes}: {inodes:number} more may be made.","No more files fit on its disk in about {seconds:left}: {inodes:number} more may be made.","Its disk is full in about {seconds:left}, before {work} ends{before:yes}: {free:bytes} are free, and {rate:bytes} more are used every second.","Its disk is full in about {seconds:left}: {free:bytes} are free, and {rate:bytes} more are used every second."],"brief":["no more files fit on its disk in about {seconds:left}, before {work} ends{before:yes}{inodes:yes}","no more files fit on its disk in about {seconds:left}{inodes:yes}","its disk is full in about {seconds:left}, before {work} ends{before:yes}","its disk is full in about {seconds:left}"],"do":["Make room where {path} is, or give it a larger disk.","Make room on its disk, or give it a larger one."]},"data-dir-hidden":{"says":["The disk of {path} cannot be seen: the sandbox of kaspad-taskd covers {home}.","The disk of {path} cannot be seen: kaspad-taskd has a {tmp} of its own.","The disk of {path} cannot be seen: the sandbox of kaspad-taskd covers {covered}.","The disk of {path} cannot be seen: InaccessiblePaths= of kaspad-taskd covers {inaccessible}.","The disk of {path} cannot be seen: {closed} is closed to the daemon's user.","The disk of {path} cannot be seen: there is no such directory.{missing:yes}","The disk of {path} cannot be seen: it has not answered for {silent:span}.","The disk of {path} cannot be seen: {problem}."],"do":["sudo systemctl edit kaspad-taskd, there below [Service] ProtectHome=tmpfs and BindReadOnlyPaths=-{plain}{home:yes}; then sudo systemctl restart kaspad-taskd","sudo systemctl edit kaspad-taskd, there below [Service] PrivateTmp=no{tmp:yes}; then sudo systemctl restart kaspad-taskd","sudo systemctl edit kaspad-taskd, there below [Service] BindReadOnlyPaths=-{plain}{covered:yes}; then sudo systemctl restart kaspad-taskd","Take {inaccessible} out of InaccessiblePaths= (systemctl cat kaspad-taskd).","sudo setfacl -m u:kaspad-taskd:--x {closed}","See whether what it is mounted from answers.{silent:yes}","Correct data_dir in the definition, or mount what belongs there."]},"node-locked":{"do":"pgrep -ax kaspad shows the other one: let only one of them run. A second node needs an --appdir of its own."},"file-limit":{"do":["sudo systemctl edit {unit}, there below [Service] LimitNOFILE=16384; then sudo systemctl restart {unit}","Start {container} with --ulimit nofile=16384 (in compose: ulimits, nofile: 16384).","Start it with a limit of 16384 open files (ulimit -Hn in its shell shows the present one)."]},"own-limit":{"do":"sudo systemctl edit kaspad-taskd, there below [Service] LimitNOFILE=65536; then sudo systemctl restart kaspad-taskd"},"node-panicked":{"do":["journalctl -u {unit} -g panicked -n 5","journalctl CONTAINER_NAME={container} -g panicked -n 5","grep panicked {log} | tail -n 5","Look for \"panicked\" in its log."]},"node-stopped":{"says":"It was shut down in the ordinary way (so says its log), and has not been started since.","do":["sudo systemctl start {unit}","docker start {container}","Start it when you want it to run."]},"clock-skew":{"says":["The clock of this host seems to be about {skew:number} s {way}: ages and estimates are off by that.","The clock of this host seems to be {least:number} s {way} or more: ages and estimates are off by that.","The clock of this host seems to be wrong: ages and estimates are off."],"do":"sudo timedatectl set-ntp true"},"cut-off":{"do":"Check the network of the node's host: cable, VPN, firewall, router."},"several-nodes":{"says":"Different nodes have answered at this address lately, as their ids tell.","do":"Write the address of one node alone in the definition, or define a task for each."},"lock-wait":{"do":["End that session: SELECT pg_terminate_backend({pid})","End that session; where none has it, a prepared transaction does: SELECT * FROM pg_prepared_xacts."]},"silent-report":{"do":"Look at that program."},"run-lost":{"do":"See whether it runs still, then run it again."},"library-missing":{"do":["Restart kaspad-taskd, so that it loads {stale} anew: sudo systemctl restart kaspad-taskd.","apt install python3-{library}  (in a virtual environment: pip install {library})","Install the library that the log names."]},"activity-hidden":{"says":"Without seeing the other sessions nobody can say who migrates, or that it is over.","do":["GRANT pg_read_all_stats TO {user}","Grant pg_read_all_stats to the role in the DSN."]},"permission-missing":{"says":["{user} is not allowed to read {table}.","{user} is not allowed to connect to the database {database}.","Its role is not allowed to read all that the query reads.{query:yes}","Its role is not allowed to read the version table."],"do":["GRANT USAGE ON SCHEMA {closed} TO {user}; GRANT SELECT ON {table} TO {user}; ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {user}","GRANT SELECT ON {table} TO {user}; ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {user}","GRANT CONNECT ON DATABASE {database} TO {user}","Grant SELECT on its tables, and USAGE on their schemas, to {user}.{query:yes}","Grant SELECT on it, and USAGE on its schema, to {user}.","Grant SELECT on it, and USAGE on its schema."]},"version-table-missing":{"says":["There is no table {table} yet: the program has not run there, or it is another database or schema.","There is no version table yet: the program has not run there, or it is another database or schema."],"do":"Check dsn and schema in the definition."},"migration-interrupted":{"says":["It was interrupted: {table} is half-way, and nobody works on it.","It was interrupted half-way, and nobody works on it."],"do":"Do not simply run it again: restore the backup, or finish its script by hand."},"prepared-transaction":{"says":"A prepared transaction, which no session has any more, locks a table of the migration.","do":"End it with COMMIT PREPARED or ROLLBACK PREPARED; SELECT * FROM pg_prepared_xacts names it."},"migration-idle":{"says":["Nobody migrates now: version {version} is recorded, {wanted} is wanted.","Nobody migrates now."],"do":"Start the migration, or correct the definition."},"pooler":{"says":"The DSN leads to a pooler: limits that are set for our session may not reach the server.","do":"Name the server itself in the DSN, not the pooler."},"checkpoint-missing":{"says":"The node no longer has the block this indexer stopped at.","do":"Stay on the public node, or rebuild the indexer."},"sandbox":{"says":["The sandbox of kaspad-taskd may have stopped it ({directive}).","The sandbox of kaspad-taskd may have stopped it."],"do":"systemctl edit kaspad-taskd"},"oom":{"says":["The kernel killed it for want of memory: kaspad-taskd and its commands may have {limit:bytes} together.","The kernel killed it for want of memory, {count:number} so far.","Somebody killed it; the kernel does so for want of memory."],"do":["sudo systemctl edit kaspad-taskd, there below [Service] MemoryMax=, more than {limit:bytes}; then sudo systemctl restart kaspad-taskd","journalctl -k -g oom -n 5"]},"answer-changed":{"says":"Its answer has changed: what the definition names is no longer in it.","do":"Look at what it answers now. If it is still starting, wait; else correct the definition."},"progress-fraction":{"says":["Its progress is {progress}: taken as percent, and perhaps a fraction of one.","Its progress lies between 0 and 1: taken as percent, and perhaps a fraction of one."],"do":"In the definition: progress_unit = \"fraction\", or \"percent\" if that is what it is."},"present-missing":{"says":"What the definition calls completed is true of an empty answer too, so it proves nothing alone.","do":"In the definition, name a field that every good answer has, as present."},"network-unknown":{"says":"It cannot be told which network it is on, so it does not count as complete.","do":"Check its connection to its node, or leave network out of the definition."},"indexer-starting":{"says":"It may be starting, migrating its database, or waiting for a synced node.","do":"Its log tells: name it in the definition (log)."},"log-unread":{"says":"Its log is not read: {problem}.","do":"Check log in the definition, and that the daemon's user may read it (a journal: the group systemd-journal)."},"log-not-understood":{"says":["None of the newest {lines:number} lines of its log is kaspad's.","None of the lines of its log is kaspad's."],"do":["journalctl -u {unit} -n 3; then correct log in the definition","journalctl CONTAINER_NAME={container} -n 3; then correct log in the definition","tail -n 3 {log}; then correct log in the definition","Correct log in the definition."]},"log-silent":{"says":["Its log has had no line for {seconds:span}.","Its log has had no line for a long time."],"do":"Let it log at the level info (kaspad: --loglevel=info), or correct log in the definition."},"indexer-migrating":{"says":"It migrates its database.","do":"Wait: it goes on by itself."},"crash-loop":{"says":["It ended at least {count} times in the last hour; the step it came to: {phase:step}.","It ended at least {count} times in the last hour.","It ends and is started again and again."],"do":["journalctl -u {unit} -n 50","journalctl CONTAINER_NAME={container} -n 50","tail -n 50 {log}","Read the end of its log."]},"schema-outdated":{"says":"Its database has an older schema, and it was not told to migrate it.","do":"Make a backup, then start it with --upgrade-db."},"node-lost":{"says":"It has no connection to its node.","do":"See whether its node runs, and check the node's address in its own settings."},"database-lost":{"says":"It has no connection to its database.","do":"See whether PostgreSQL runs (systemctl status postgresql), and check the database's address in its own settings."},"database-silent":{"says":["The database {database} does not answer.","Its database does not answer."],"do":["See whether PostgreSQL runs (systemctl status postgresql), then check [databases.{database}] in kaspad-taskd.toml.","See whether PostgreSQL runs (systemctl status postgresql), then check the dsn of the definition."]},"upgrade-failed":{"says":"The migration of its database failed (so says its log).","do":"Read the end of its log. \"already exists\": another one migrates at this moment, or an earlier one was interrupted. Start it again only when nobody is connected and the database is whole."},"indexer-stopped":{"says":"It was shut down in the ordinary way (so says its log), and has not been started since.","do":["sudo systemctl start {unit}","docker start {container}","Start it when you want it to run."]},"node-missing":{"says":"It names blocks by their hash only.","do":"Name a node in the definition (node)."},"node-silent":{"says":"The node of the definition does not answer.","do":"See whether it runs, then check node in the definition."},"source-missing":{"says":"Its web server does not say how far it is.","do":"Name its simply-kaspa-indexer in the definition (source)."},"history-unknown":{"says":"It follows the tip; whether older gaps are filled it does not tell.","do":"Its log tells: name it in the definition (log)."},"gaps-open":{"says":["It follows the tip, and still fills {count} older gaps.","It follows the tip, and still fills older gaps."],"do":"Wait: it goes on by itself."}},"phase":{"v20_copy":{"short":"copy","label":"copying the transactions (v20)","sentence":"It rewrites all transactions; how far it is can only be told by the sizes of the tables."},"v20_key_scan":{"short":"index","label":"key of transactions, reading (v20)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v20_key_load":{"short":"index","label":"key of transactions, writing (v20)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v20_index_scan":{"short":"index","label":"index of transactions, reading (v20)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v20_index_load":{"short":"index","label":"index of transactions, writing (v20)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v20_vacuum":{"short":"vacuum","label":"tidying the transactions (v20)","sentence":"It brings the new table in order."},"v21_subnetworks":{"short":"subnetworks","label":"rewriting the subnetworks (v21)","sentence":"A day of transactions at a time; an interruption costs one day's work."},"v23_pairs":{"short":"pairing","label":"pairing transactions and blocks (v23)","sentence":"The server reports no numbers here, only that it works."},"v23_transactions":{"short":"table","label":"rewriting the transactions (v23)","sentence":"The server reports no numbers here, only that it works."},"v23_key_scan":{"short":"index","label":"key of transactions, reading (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_key_load":{"short":"index","label":"key of transactions, writing (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_index_scan":{"short":"index","label":"index of transactions, reading (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_index_load":{"short":"index","label":"index of transactions, writing (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_blocks":{"short":"table","label":"rewriting the blocks (v23)","sentence":"The server reports no numbers here, only that it works."},"v23_blocks_key_scan":{"short":"index","label":"key of blocks, reading (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_blocks_key_load":{"short":"index","label":"key of blocks, writing (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_blocks_index_scan":{"short":"index","label":"index of blocks, reading (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"v23_blocks_index_load":{"short":"index","label":"index of blocks, writing (v23)","sentence":"It builds an index: it reads the table, then writes what it sorted."},"statement":{"short":"statement","label":"one statement","sentence":"How many follow cannot be known."},"statement_index":{"short":"index","label":"building an index","sentence":"How many statements follow cannot be known."},"statement_copy":{"short":"copy","label":"copying rows","sentence":"How many statements follow cannot be known."},"statement_cluster":{"short":"rewrite","label":"rewriting a table","sentence":"How many statements follow cannot be known."},"statement_vacuum":{"short":"vacuum","label":"clearing away old rows","sentence":"How many statements follow cannot be known."},"statement_analyze":{"short":"statistics","label":"gathering statistics of a table","sentence":"How many statements follow cannot be known."},"starting":{"short":"connecting","label":"connecting","sentence":"The node looks for peers and agrees with one on what to fetch."},"connecting":{"short":"connecting","label":"connecting","sentence":"The node looks for peers and agrees with one on what to fetch."},"negotiating":{"short":"connecting","label":"connecting","sentence":"The node looks for peers and agrees with one on what to fetch."},"proof":{"short":"proof","label":"checking the proof","sentence":"It checks a short proof of the chain instead of downloading years of it."},"proof_or_headers":{"short":"proof/headers","label":"proof or headers","sentence":"It checks a short proof of the chain, or downloads headers. (The node's RPC does not tell which of the two it does now.)"},"headers":{"short":"headers","label":"downloading headers","sentence":"The skeleton of the recent blocks."},"trusted_bodies":{"short":"state","label":"fetching the state","sentence":"What the network's state was at the starting point."},"smt":{"short":"state","label":"fetching the state","sentence":"What the network's state was at the starting point."},"utxo":{"short":"UTXO set","label":"downloading the UTXO set","sentence":"Who owns what. The total is not known, so this step has no percent."},"state_download":{"short":"UTXO set","label":"downloading the UTXO set","sentence":"Who owns what. The total is not known, so this step has no percent."},"utxoindex":{"short":"UTXO index","label":"building the UTXO index","sentence":"The node reports no numbers here; it can take hours."},"blocks":{"short":"blocks","label":"downloading blocks","sentence":"From the starting point to now. The target moves by 10 blocks a second."},"confirming":{"short":"confirming","label":"confirming","sentence":"It says it is synced; it counts as ready when that stays so."},"relay":{"short":"confirming","label":"confirming","sentence":"It says it is synced; it counts as ready when that stays so."},"synced":{"short":"confirming","label":"confirming","sentence":"It says it is synced; it counts as ready when that stays so."}},"step":{"line":["{k} of {n}, {label}, {percent} of this step","{k} of {n}, {label}"],"no-numbers":"the node reports no numbers here, its disk is writing","checks":"{have} of {need} checks","pass":"pass {pass}: the network moved on meanwhile and the rest is fetched","began":["step {k} of {n} began: {label}; step {before} took {took:left}","step {k} of {n} began: {label}"]},"position":{"of":"{done:number} of {total:above} {unit}","of-about":"{done:number} of about {total:above} {unit}","so-far":"{done:number} {unit} so far","behind":"{behind:late} behind","room":["{free:bytes} of {total:bytes} free on its disk, {rate:bytes} more used every second","{free:bytes} of {total:bytes} free on its disk","{free:bytes} free on its disk"],"no-total":"the total is not known, so there is no time left"},"eta":{"not-running":"no time left is shown: it is not being watched now","no-answer":"no time left without an answer","no-total":"the total is not known, so there is no time left","warming-up":"time left appears as soon as the speed is steady, mostly within a minute","not-catching-up":["it adds {rate:number} {unit} a second, the network makes {drift:number}; at this pace it will not arrive. Disk or processor is the usual limit","it adds {rate:number} {unit} a second, and the network makes more; at this pace it will not arrive. Disk or processor is the usual limit","it is slower than the network grows; at this pace it will not arrive. Disk or processor is the usual limit"],"stalled":"no time left while nothing moves","confirming":"done but for its last checks"},"epoch":{"note":"Started over at {when}: {why}. Progress counts from there; nothing you did caused it.","why":{"other":"data was lost and the work began anew","index-reset":"the indexer's database was begun anew","db-reset":"the node's database was reset","headers-lost":"the node began a new sync; the headers it had are lost"}},"waiting":{"missing":"{name} is not there (yet)","error":"{name} failed; try it again","cancelled":"{name} was stopped; try it again","pending":"{name} has not started","note":"Waits for {names}."},"time":{"calculating":"Calculating...","complete":"Complete","second":{"one":"{n} second","other":"{n} seconds"},"minute":{"one":"{n} minute","other":"{n} minutes"},"hour":{"one":"{n} hour","other":"{n} hours"},"day":{"one":"{n} day","other":"{n} days"},"hour-minute":"{hours} {minutes} min","day-hour":"{days} {hours} hr","minute-second":"{minutes} {seconds}s"},"percent":{"exact":"{p} %","about":"about {p} %","tilde":"~{p} %"},"months":"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec","page":{"fleet":{"link":{"lost":"Not connected to the hub since {when}. What is shown is from then. No host is affected."},"title":{"ill":"! {n} \u00b7 fleet","well":"Fleet"},"ill":{"one":"{n} of {total:number} hosts needs somebody","other":"{n:number} of {total:number} hosts need somebody"},"engine":"Redis cannot be read: {fault} What was heard last is shown.","of-them":"{n:number} of them not well","without":"without {label}","all":"All hosts","counts":"How many hosts are how","search":"Name, label or task","by":"Grouped by","by-none":"nothing","shown":"{shown:number} of {total:number} hosts","no-match":"No host matches.","wall":"For a screen on the wall","rest":{"one":"1 more host is well","other":"{n:number} more hosts are well"},"nobody":"How the hosts are is not known now","since":"since","last":"When it was heard last:","heard":"heard over its relay","then":"What is shown is from when it was heard last.","back":"All hosts","unlock":"This page needs the access token.","elsewhere":"Other days, the course of the days and earlier incidents are on the host itself.","no-tasks":"Nothing is watched on this host."},"name":"kaspad-taskd","utc":"{when} UTC","title":{"left":"{percent} \u00b7 {eta:left} \u00b7 {host}","share":"{percent} \u00b7 {host}","trouble":"! {name} \u00b7 {host}","lost":["? {percent} at {when} \u00b7 {host}","? {host}"],"other":"{word} \u00b7 {host}"},"headline":{"left":"{name} is {word}, about {eta:left} left","complete":["{name} is {word} since {when}","{name} is {word}"],"switching":{"one":"{name} is ready, {n} service is being switched","other":"{name} is ready, {n} services are being switched"},"error":"{name} failed","store":"kaspad-taskd cannot save: {why}","not-found":"There is no such task","locked":"This page needs the access token"},"store":"It keeps watching; changes are refused.","reassure":"You can close this page; the work goes on without it.","attention":"{count}: {what}","state":{"not-started":"not started","waiting":"waiting for {names}","first-check":"first check","stalled":"stalled","unreachable":"not reachable","paused":"paused","switching":{"one":"switching {n} service","other":"switching {n} services"},"error":"failed","cancelled":"stopped"},"kind":["{kind}, {network}","{kind}"],"step":"Step {k} of {n}: {label}","of-step":"{percent} of this step","left":"About {eta:left} left","ready":"ready around {when}","no-total":"The total of this step is not known, so there is no time left.","so-far":["{done:number} {unit} so far, {rate:number} a second.","{done:number} {unit} so far."],"rate":"{rate:number} {unit} now","fact":"{key}: {value}","most":["{rate:number} {unit} at most","{rate:number} at most"],"checked":["Checked {ago:span} ago, every {every:span}","Checked {ago:span} ago","Not checked yet"],"reported":"Reported {ago:span} ago","say":{"not-started":"Nobody watches this yet.","waiting":"Starts by itself when {names} is complete.","first-check":"The first answer is on its way.","stalled":"No movement for {since:span}.","unreachable":"No answer for {since:span}.","lost":["Nothing is lost; checking goes on, next in {next:span}.","Nothing is lost; checking goes on."],"paused":["Watching is paused since {when}.","Watching is paused."],"paused-node":"The node itself keeps running and syncing; no service is switched meanwhile.","paused-work":"The work itself goes on.","complete":["Complete since {when}, after {took:left}. Not watched since.","Complete since {when}. Not watched since.","Complete. Not watched since."],"switching":"Ready. {doing}. A service is put back if it does not work.","error":"The place reached is kept.","then-try":"Then press Try again.","try":"Press Try again once that is mended.","cancelled":["Watching was stopped at {when}.","Watching was stopped."],"untouched-node":"The node was not touched.","untouched-work":"The work itself was not touched."},"action":{"start":"Start now","resume":"Resume watching","check":"Check now","pause":"Pause watching","cancel":"Stop watching...","retry":"Try again","again":"Watch again","remove":"Remove","acknowledge":"I have seen this"},"warnings":"Warnings","done":"Done.","working":"Asked.","no-answer":"No answer from kaspad-taskd; whether it was done shows by itself.","details":"Details","more":"History and events","back":"All tasks","steps":"Steps","took":"{took:left}","status":{"done":"done","current":"now","next":"next","failed":"failed"},"nothing-happened":"Nothing yet.","folded":["not reachable for {span:span}: {why}","not reachable for {span:span}"],"folded-behind":["behind for {span:span}: {why}","behind for {span:span}"],"about":"About","version":"kaspad-taskd {version}","strip":"Rate of the last hour, a bar a minute","past":{"title":"What was seen","part":"{when} to {end}: {told}","days":{"1":"24 hours","7":"7 days","30":"30 days","90":"90 days"},"incidents":"Incidents","to":"to"},"minute":{"rate":["{when}: {rate:number} {unit}","{when}: {rate:number} a second"],"still":"{when}: no movement","silent":"{when}: no answer","nobody":"{when}: nobody looked"},"link":{"static":"As of {when}","connecting":"Connecting","live":"Live","reconnecting":"Reconnecting","down":"Not connected","lost":"Not connected to kaspad-taskd since {when}. The numbers are from then. What is watched is not affected.","foreign":"It runs, but does not let this page in: {setting}, in {place}.","try":"Try now","restarting":"kaspad-taskd is restarting.","stopped":"kaspad-taskd was stopped. It will take up every task where it was.","back":"Connected again. Nothing was missed.","changes":{"one":"Connected again. {n} change meanwhile.","other":"Connected again. {n} changes meanwhile."},"gap":"Too long away, or the daemon has another past by now: the page was loaded anew.","version":"kaspad-taskd is now {version}.","reload":"Reload"},"switched":"{name} runs on the {to} node","service":{"services":"Services","state":{"switching":"switching to the {to} node","undoing":"being put back","down":"down"},"step":"{k} of {n}: {label}","back":"back {k} of {n}: {label}","took":"{took:span}","failed":"failed after {took:span}","since":"since","button":{"local":"Switch to local node","public":"Back to public node"},"ask":{"local":{"title":"Switch {name} to the local node?","text":"It is restarted and has to work there. If it does not, it is put back on the public node."},"public":{"title":"Bring {name} back to the public node?","text":"It is restarted, and stays there until it is switched again."},"cancel":{"title":"Cancel the switch of {name}?","text":"It is put back on the public node."},"keep":"Leave it as it is"}},"stop":{"title":"Stop watching {name}?","text":"The work itself goes on. kaspad-taskd no longer reports on it.","text-node":"The node keeps running. kaspad-taskd no longer reports on it and will not switch services when it is ready.","keep":"Keep watching","stop":"Stop watching"}},"status":{"checked":["{ago:span} ago, every {every:span}","not yet, every {every:span}"],"next":"next check in {next:span}","reachable":"reachable since {when}","peers":{"one":"{n} peer","other":"{n} peers"},"switches":"switches {names} to this node","task":["{id}, attempt {attempt}, since {when}, from {origin}","{id}, attempt {attempt}, from {origin}"],"nothing-lost":"Nothing is lost; checking goes on.","kept":"The place reached is kept. Then try again: kaspad-taskctl retry {id}","again":"Try again: kaspad-taskctl retry {id}","resume":"Go on: kaspad-taskctl start {id}","unwatched":"It is not watched since. Watch again: kaspad-taskctl retry {id}","start":"Start now: kaspad-taskctl start {id}"},"report":{"headline":{"first-check":"{name}: no report has come yet","silent":"{name}: no report for {since:left}","stalled":"{name} has reported no movement for {since:span}"},"eta":{"warming-up":"time left appears after about a minute of reports"},"page":{"state":{"first-check":"no report yet","silent":"no report"},"say":{"first-check":"No report has come yet.","silent":"No report for {since:left}.","stalled":"No movement reported for {since:span}."}}},"work":{"node-sync":"the sync","indexer-sync":"the sync","database-migration":"the migration","other":"the work"},"kept":{"word":{"node-sync":"in sync","indexer-sync":"in sync","database-migration":"migrated","other":"complete"},"state":{"in-sync":"{word}","behind":["behind {behind:lag}","behind"],"lapsed":"not {word}","stalled":"stalled","unreachable":"not reachable","watch-paused":"watch paused","clock-wrong":"not known","first-look":"first look","unseen":"not known"},"text":{"in-sync":["{word} since {well}","{word}"],"behind":["behind by {behind:lag} since {when}","behind since {when}","behind"],"lapsed":["no longer {word} since {when}","no longer {word}"],"stalled":["{word} since {well}, but nothing new for {since:span}","nothing new for {since:span}"],"unreachable":["{word} since {well}, but not reachable for {since:span}","not reachable for {since:span}"],"watch-paused":["watch paused since {when}","watch paused"],"clock-wrong":["{word} since {well}; whether still so cannot be told","whether {word} cannot be told"],"first-look":"complete, the first look on its way","unseen":"complete, not seen {word} since watched again"},"is":"{name} is {text}","of":"{name}: {text}","on":["Checking goes on, next in {next:span}.","Checking goes on."],"checked":"{text}, checked {ago:span} ago","because":"{text}: {why}","watch":{"in-sync":["since {well}, checked {ago:span} ago","since {well}",""],"behind":"since {when}","lapsed":"since {when}","stalled":"nothing new for {since:span}","unreachable":"no answer for {since:span}","watch-paused":["since {when}",""],"clock-wrong":"not since {when}","first-look":"its first look is on its way","unseen":"not seen {word} since it is watched"},"line":{"in-sync":"{name} {word}","behind":["{name} behind {behind:lag}","{name} behind"],"lapsed":"{name} not {word}","stalled":"{name} stalled","unreachable":"{name} unreachable","watch-paused":"{name} watch paused","clock-wrong":"{name} not known","first-look":"{name} first look","unseen":"{name} not known"},"event":{"again":"{word} again","seen":"{word}"}},"record":{"share":"In sync {percent} of what was seen in {span:span}","unseen":"Nobody looked at it in {span:span}","incidents":{"one":"{n} incident of {longest:span}","other":"{n} incidents, the longest of {longest:span}"},"none":"no incident","unknown":"not known {unknown:span}","nothing":"Nothing is on record yet. The record begins with the first good look at what is complete.","label":{"day":"How it was, a bar a day","hour":"How it was, a bar an hour"},"state":{"ok":"in sync","behind":"behind","stalled":"stalled","unreachable":"not reachable","unknown":"not known"},"part":{"ok":"in sync {percent}","behind":"behind {span:span}","stalled":"stalled {span:span}","unreachable":"not reachable {span:span}","unknown":"not known {span:span}","unseen":"nobody looked"}},"strategy":{"recommended":"recommended: {label}","wait":{"label":"Wait here","sentence":"The next steps open when the node is ready."},"background":{"label":"Go on, sync in the background","sentence":"Services use public servers now and switch to your node by themselves when it is ready."},"skip":{"label":"Skip for now","sentence":"Services stay on public servers; you can switch later."},"left":["about {eta:left} left","the time left is not known"],"ready":"There is nothing to wait for: {name} is {word}.","late":{"behind":{"brief":["behind by {behind:lag}","behind"],"note":["{name} was {word}, and is behind by {behind:lag} now: {why}.","{name} was {word}, and is behind by {behind:lag} now.","{name} was {word}, and is behind now: {why}.","{name} was {word}, and is behind now."]},"stalled":{"brief":"nothing new comes","note":["{name} was {word}, but nothing new comes now: {why}.","{name} was {word}, but nothing new comes now."]},"unreachable":{"brief":"not reachable","note":["{name} was {word}, and is not reachable now: {why}.","{name} was {word}, and is not reachable now."]}}},"wizard":{"asking":"Asking kaspad-taskd","silent":"kaspad-taskd does not answer.","foreign":"It runs, but does not let this page in:","origins":"origins = [\"{origin}\"]","no-task":"There is no such task.","none":"Nothing is watched.","more":{"one":"and {n} more task","other":"and {n} more tasks"},"progress":"Progress of {name}","failed":"That did not work: {why}","gone":"Not connected to kaspad-taskd.","strategy":"How to go on while {name} is syncing","because":{"wait":"Recommended: it takes about {eta:left} more.","background":["Recommended: it takes about {eta:left} more, and nothing has to wait for it.","Recommended: the time left is not known yet, and nothing has to wait for it."],"skip":"Recommended: it takes about {eta:left} more."},"continue":"Continue","chosen":"Chosen: {label}","in-progress":"An installation was in progress","go-on":"These go on whether you resume or not","resume":"Resume","start-over":"Start over","means":"This clears your answers in the wizard. The node keeps its data.","also-stop":{"one":"Also stop watching {n} task","other":"Also stop watching {n} tasks"},"host":{"attention":{"one":"{n} needs attention","other":"{n} need attention"},"running":"{n} running","waiting":"{n} waiting or paused","kept":"{n} watched","ended":"{n} ended","news":"last news {ago:span} ago","silent":"No news from {name} for {since:span}; the numbers are from then.","never":"No answer from {name} for {since:span}."}}} };
const m_______static_words_js = (() => {
const { default: table } = m_______static_en_js;
const form = { utc: false, numbers: new Intl.NumberFormat(navigatorLanguage()) };

function navigatorLanguage() {
  return globalThis.document ? navigator.language : "en";
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function safe(value, limit = 300) {
  const points = [...visible(String(value).slice(0, 8 * limit))];
  return points.length <= limit ? points.join("") : points.slice(0, limit - 1).join("") + "…";
}

function visible(text) {
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .replace(/[\t\n\r\p{Z}]/gu, " ")
    .replace(/[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/gu, "?")
    .replace(/\p{Cf}/gu, "")
    .replace(/([\p{Mn}\p{Me}]{2})[\p{Mn}\p{Me}]+/gu, "$1")
    .replace(/[\ufe00-\ufe0f]/g, "");
}

function entry(key) {
  let found = table;
  for (const part of key.split(".")) {
    found = found !== null && typeof found === "object" ? found[part] : undefined;
  }
  return found ?? null;
}

function say(key, params = {}) {
  return maybe(key, params) ?? poor(entry(key), params) ?? safe(key);
}

function maybe(key, params = {}) {
  return fill(entry(key), params);
}

function fill(found, params) {
  if (found !== null && typeof found === "object" && !Array.isArray(found)) {
    found = found[params.n === 1 ? "one" : "other"];
  }
  for (const template of typeof found === "string" ? [found] : (found ?? [])) {
    const text = put(template, params, null);
    if (text !== null) return text;
  }
  return null;
}

function poor(found, params) {
  if (Array.isArray(found)) found = found.at(-1);
  else if (found !== null && typeof found === "object") found = found.other;
  return typeof found === "string" ? put(found, params, "?") : null;
}

function put(template, params, missing) {
  let poorer = false;
  const text = template.replace(/\{([^}:]*):?([^}]*)\}/g, (_, name, format) => {
    const value = params[name] ?? missing;
    if (value === null) poorer = true;
    if (format === "step") return phase(value);
    if (format === "yes") { // shows nothing: picks a sentence that is said only where that is so
      if (!value) poorer = true;
      return "";
    }
    return format && typeof value === "number" ? FORMATS[format](value) : safe(value);
  });
  return poorer ? null : text;
}

const phase = (key) => maybe(`phase.${key}.label`) ?? safe(key.replaceAll("_", " "), 60);

const FORMATS = { number, above, span, left: timeLeft, late, lag, bytes: size };

const MINUTE = 60, HOUR = 3600, DAY = 86400;

function timeLeft(seconds) {
  if (!isNumber(seconds)) return say("time.calculating");
  const whole = Math.max(1, Math.trunc(seconds));
  if (whole < MINUTE) return say("time.second", { n: whole });
  if (whole < HOUR) return say("time.minute", { n: Math.trunc(whole / MINUTE) });
  if (whole < DAY) {
    const hours = say("time.hour", { n: Math.trunc(whole / HOUR) });
    const minutes = Math.trunc((whole % HOUR) / MINUTE);
    return minutes ? say("time.hour-minute", { hours, minutes }) : hours;
  }
  const days = say("time.day", { n: Math.trunc(whole / DAY) });
  const hours = Math.trunc((whole % DAY) / HOUR);
  return hours ? say("time.day-hour", { days, hours }) : days;
}

function span(seconds) {
  if (!isNumber(seconds)) return say("unknown");
  seconds = Math.max(0, seconds);
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.trunc(seconds * 1000))} ms`;
  if (seconds < MINUTE) return `${Math.trunc(seconds)} s`;
  if (seconds < HOUR) return `${Math.trunc(seconds / MINUTE)} min`;
  const [unit, one] = seconds < DAY ? ["hour", HOUR] : ["day", DAY];
  return say(`time.${unit}`, { n: Math.trunc(seconds / one) });
}

function percent(value, basis, mark = "about") {
  value = isNumber(value) ? Math.min(100, Math.max(0, value)) : 0;
  if (value === 100) return say("percent.exact", { p: "100" });
  if (basis !== "exact") return say(`percent.${mark}`, { p: String(Math.trunc(value)) });
  return say("percent.exact", { p: fixed(down(value)) });
}

let made = {};

function fixed(value) {
  if (made.of !== form.numbers) {
    const { locale } = form.numbers.resolvedOptions();
    made = { of: form.numbers, one: new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }) };
  }
  return made.one.format(value);
}

function number(value) {
  if (!isNumber(value)) return say("unknown");
  const few = Math.abs(value) < 10 && value !== Math.trunc(value);
  return few ? fixed(down(value)) : form.numbers.format(Math.floor(value));
}

function above(value) {
  if (!isNumber(value)) return say("unknown");
  return number(Math.abs(value) < 10 ? -down(-value) : Math.ceil(value));
}

function late(seconds) {
  if (!isNumber(seconds)) return say("unknown");
  const unit = seconds <= MINUTE ? 1 : seconds <= DAY ? MINUTE : HOUR;
  return timeLeft(Math.ceil(seconds / unit) * unit);
}

function lag(seconds) {
  if (!isNumber(seconds)) return say("unknown");
  seconds = Math.max(0, seconds);
  if (seconds <= MINUTE) return `${Math.ceil(seconds)} s`;
  if (seconds < 100 * MINUTE) return `${Math.ceil(seconds / MINUTE)} min`;
  const [unit, one] = seconds <= 2 * DAY ? ["hour", HOUR] : ["day", DAY];
  return say(`time.${unit}`, { n: Math.ceil(seconds / one) });
}

function down(value) {
  if (Math.abs(value) >= 2 ** 52) return value;
  const count = Math.floor(value * 10);
  if ((count + 1) / 10 <= value) return (count + 1) / 10;
  return (count / 10 > value ? count - 1 : count) / 10;
}

function size(value) {
  if (!isNumber(value)) return say("unknown");
  for (const [name, unit] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6]]) {
    if (value >= unit / 10) return `${fixed(down(value / unit))} ${name}`;
  }
  return `${Math.trunc(value / 1e3)} kB`;
}

function secondsOf(text) {
  const ms = typeof text === "string" && text.endsWith("Z") ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms / 1000;
}

const two = (value) => String(value).padStart(2, "0");

function parts(seconds) {
  const at = new Date(seconds * 1000);
  return form.utc
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes()]
    : [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes()];
}

function when(seconds, now) {
  const there = parts(seconds), here = parts(now);
  const clock = `${two(there[3])}:${two(there[4])}`;
  const sameDay = [0, 1, 2].every((place) => there[place] === here[place]);
  const text = sameDay ? clock : `${day(seconds)} ${clock}`;
  return form.utc ? say("page.utc", { when: text }) : text;
}

function day(seconds) {
  const there = parts(seconds);
  return `${there[2]} ${entry("months").split(" ")[there[1]]}`;
}

function clock(seconds) {
  const at = new Date(seconds * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
return { form, isNumber, safe, entry, say, maybe, phase, timeLeft, span, percent, number, above, late, lag, down, size, secondsOf, when, day, clock };
})();
const m_______static_view_js = (() => {
const { entry, maybe, percent, phase, safe, say, secondsOf, size, when } = m_______static_words_js;
const LOOKS = {
  "not-started": ["dashed", "quiet"],
  "waiting": ["dashed", "quiet"],
  "first-check": ["ring", "quiet"],
  "ok": ["arrow", "moving"],
  "stalled": ["hourglass", "attention"],
  "unreachable": ["plug", "attention"],
  "paused": ["bars", "quiet"],
  "complete": ["tick", "done"],
  "in-sync": ["tick", "done"],
  "behind": ["hourglass", "attention"],
  "watch-paused": ["bars", "quiet"],
  "clock-wrong": ["ring", "quiet"],
  "first-look": ["ring", "quiet"],
  "unseen": ["ring", "quiet"],
  "switching": ["arrows", "moving"],
  "error": ["octagon", "failure"],
  "cancelled": ["barred", "quiet"],
};
const LIVE = ["pending", "in-progress", "paused"];
const TROUBLE = ["behind", "stalled", "unreachable"]; // of what is kept watch on
const ILL = ["error", ...TROUBLE];
const SYNCS = ["node-sync", "indexer-sync"];
const FULL = ["disk-runway", "disk-full"];
const OWN = ["report", "command"];
const PROCESS = ["pid", "startTime"];
const OLD = ["unreachable", "paused", "error", "cancelled"];

const tidy = (text) => text.replaceAll(" %", "\u00a0%");
const cap = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const stop = (text) => (!text || /[.!?]$/.test(text) ? text : `${text}.`);

function view(task, now) {
  const condition = conditionOf(task);
  const [icon, tone] = LOOKS[condition] ?? ["ring", "quiet"];
  const [troubles, cures] = causes(task);
  const shown = {
    icon,
    tone,
    name: nameOf(task),
    state: stateOf(task),
    kind: kindOf(task),
    banner: banner(task, condition, troubles, now),
    cures,
    step: step(task, condition),
    share: share(task, condition),
    percent: percentText(task, condition, now),
    value: counting(task) || isStale(task) || !task.progress ? null : Math.trunc(task.progress),
    left: left(task),
    ready: ready(task, now),
    note: note(task, condition, now),
    facts: facts(task, condition),
    checked: checked(task, now),
    bar: bar(task),
  };
  const spoken = ["step", "percent", "left"].map((key) => shown[key]).filter(Boolean).join(", ");
  return { ...shown, spoken: spoken || shown.state };
}

function conditionOf(task) {
  if (task.switching) return "switching";
  if (task.status === "pending") return task.waitingFor?.length ? "waiting" : "not-started";
  if (kept(task)) return watchOf(task);
  if (task.status !== "in-progress") return String(task.status);
  return [null, undefined, "unknown"].includes(task.health) ? "first-check" : task.health;
}

const kept = (task) => task.status === "complete" && ["on", "paused"].includes(task.watch);

const lookedAt = (task) => (
  task.status === "in-progress" || (kept(task) && task.watch === "on")
);

const isWatched = (task) => kept(task) && !task.switching;

const isStale = (task) => isWatched(task) && conditionOf(task) !== "in-sync";

function seenBy(event, task) {
  if (event.status !== "complete" || !("lastChecked" in event)) return {};
  const { healthSince, lastChecked, behind = null } = event;
  const watch = kept(task) ? task.watch : "on";
  const same = task.health === event.health;
  return { watch, healthSince, lastChecked, behind, ...(same ? {} : { reason: null, note: null, hints: [] }) };
}

function watchOf(task) {
  if (task.watch === "paused") return "watch-paused";
  if (TROUBLE.includes(task.health)) return task.health;
  if (task.health === "ok") return "in-sync";
  if (task.reason === "clock-skew") return "clock-wrong";
  const checked = secondsOf(task.lastChecked), since = secondsOf(task.healthSince);
  return checked === null || checked <= (since || checked) ? "first-look" : "unseen";
}

function keyOf(task, where) {
  const condition = watchOf(task);
  const lapsed = condition === "behind" && !SYNCS.includes(task.type);
  return `kept.${where}.${lapsed ? "lapsed" : condition}`;
}

const keptWord = (task) => maybe(`kept.word.${task.type}`) ?? say("kept.word.other");

function wellSince(task) {
  const ended = secondsOf(task.completedAt);
  const since = task.health === "ok" ? secondsOf(task.healthSince) : null;
  return ended === null ? since : Math.max(ended, since || ended);
}

function watched(task, where, now) {
  const began = secondsOf(task.healthSince), well = wellSince(task);
  return maybe(keyOf(task, where), {
    name: nameOf(task),
    word: keptWord(task),
    well: well ? when(well, now) : null,
    when: began ? when(began, now) : null,
    since: sinceOf(task, now),
    behind: task.behind ?? null,
  }) ?? "";
}

function about(task, now, before = "kept.", more = {}) {
  const form = ["in-sync", "behind"].includes(watchOf(task)) ? "is" : "of";
  return say(before + form, { name: nameOf(task), text: watched(task, "text", now), ...more });
}

function ofType(task, key) {
  const own = `report.${key}`;
  return task.type === "report" && entry(own) !== null ? own : key;
}

function said(task) {
  const condition = conditionOf(task);
  const silent = task.type === "report" && task.reason === "silent-report";
  return silent && condition === "stalled" ? "silent" : condition;
}

const troubled = (task) => ILL.includes(conditionOf(task)) || filling(task) !== null;

function filling(task) {
  if (task.status !== "in-progress") return null;
  const full = (one) => FULL.includes(one.code) && one.params?.free !== undefined;
  return (task.hints ?? []).find(full) ?? null;
}

const also = (task, text) => {
  const one = filling(task);
  if (one === null) return text;
  return `${text}; ${say(`hint.${one.code}.brief`, { ...disk(task), ...one.params })}`;
};

function disk(task) {
  const path = task.config?.dataDir;
  const work = maybe(`work.${task.type}`) ?? say("work.other");
  return typeof path === "string" ? { work, path } : { work };
}

function room(task) {
  const known = task.metadata ?? {};
  if (task.status !== "in-progress" || task.config?.dataDir === undefined) return "";
  if (known.diskFree === undefined) return "";
  const rate = known.diskGrowth || null;
  return say("position.room", { free: known.diskFree, total: known.diskTotal ?? null, rate });
}

function nameOf(task) {
  const name = safe(task.service || task.id || say("unknown"), 100);
  return task.alike ? say("headline.alike", { name, id: safe(task.id, 100) }) : name;
}

const nobody = (task) => (task.hints ?? []).map((one) => maybe(`idle.${one.code}`)).find((word) => word);

function wordOf(task) {
  if (kept(task)) return keptWord(task);
  const table = task.status === "complete" ? "done" : "running";
  const idle = table === "running" && nobody(task);
  if (idle) return idle;
  return maybe(`${table}.${task.type}`) ?? say(`${table}.other`);
}

function stateOf(task) {
  const condition = conditionOf(task);
  if (isWatched(task)) return cap(say(keyOf(task, "state"), { word: keptWord(task) }));
  if (condition === "ok" || condition === "complete") return cap(wordOf(task));
  const known = { names: awaited(task), ...task.switching };
  return cap(maybe(ofType(task, `page.state.${said(task)}`), known) ?? safe(condition));
}

function awaited(task) {
  const types = Object.keys(entry("type"));
  const names = (task.waitingFor ?? []).map((id) => {
    const type = types.find((each) => id.startsWith(`${each}-`));
    return type ? id.slice(type.length + 1) : id;
  });
  return safe(names.join(", "));
}

function stepOf(task) {
  const phases = task.phases ?? [];
  const at = phases.findIndex((one) => one.state === "current");
  return at < 0 ? null : [at + 1, phases.length, phases[at]];
}

function counting(task) {
  const at = stepOf(task), detail = task.progressDetail;
  if (conditionOf(task) !== "ok" || (at && at[2].progress != null)) return false;
  return Boolean(detail) && detail.total == null && detail.done != null;
}

function kindOf(task) {
  const network = task.metadata?.network || task.config?.network || null;
  const kind = maybe(`type.${task.type}.long`) ?? safe(task.type, 60);
  return say("page.kind", { kind, network });
}

function shared(task) {
  const known = disk(task);
  const endpoint = task.endpoint, log = task.config?.log;
  if (typeof endpoint === "string") {
    const [, rest = ""] = endpoint.split(/:\/\/(.*)/s);
    known.address = rest.split("/")[0] || endpoint;
  }
  if (typeof log === "string") {
    const [, field, name] = /^(journal:CONTAINER_NAME=|journal:)?(.*)$/s.exec(log);
    if (!field) known.log = name;
    else if (field === "journal:") known.unit = name.replace(/\.service$/, "");
    else known.container = name;
  }
  for (const one of task.hints ?? []) {
    if (one.code === task.reason) Object.assign(known, one.params);
    else if (one.code === "permission-missing") { // no password is wrong then
      Object.assign(known, { reader: one.params?.user, relation: one.params?.table });
    }
  }
  return known;
}

function causes(task) {
  const hints = [...(task.hints ?? [])];
  if (task.reason && hints.every((one) => one.code !== task.reason)) {
    hints.unshift({ code: task.reason });
  }
  const says = [], cures = [];
  for (const one of hints) {
    const params = { ...shared(task), ...one.params };
    const bare = { ...params, address: params.address?.replace(/^.*:\/\//, "") };
    const what = maybe(`hint.${one.code}.says`, params) ?? maybe(`reason.${one.code}.note`, bare);
    const told = one.code === task.reason ? task.note || what : what;
    says.push(stop(safe(told ?? one.code)));
    const cure = maybe(`hint.${one.code}.do`, params);
    if (cure) cures.push(cure);
  }
  if (conditionOf(task) === "error") {
    cures.push(say(cures.length ? "page.say.then-try" : "page.say.try"));
  }
  return [says, cures];
}

function sinceOf(task, now) {
  if (kept(task)) {
    const moved = task.health === "stalled" ? secondsOf(task.lastMoved) : null;
    const start = moved || secondsOf(task.healthSince);
    return start ? Math.max(1, Math.trunc(now - start)) : 1;
  }
  const known = { stalled: ["lastMoved", "startedAt"], silent: ["lastUpdate", "startedAt"] };
  const fields = known[said(task)] ?? [];
  const began = [...fields, "healthSince"].map((field) => secondsOf(task[field])).find(Boolean);
  return began ? Math.max(1, Math.trunc(now - began)) : 1;
}

function banner(task, condition, troubles, now) {
  if (isWatched(task)) return watchBanner(task, condition, troubles, now);
  if (condition === "stalled" || condition === "unreachable") {
    const first = ofType(task, `page.say.${said(task)}`);
    const parts = [say(first, { since: sinceOf(task, now) }), ...troubles];
    if (condition === "unreachable") {
      parts.push(say("page.say.lost", { next: nextOf(task, now) }));
    }
    return parts.join(" ");
  }
  if (condition === "error") {
    const failed = stop(cap(safe(task.error || say("unknown"))));
    return [failed, say("page.say.error")].join(" ");
  }
  return condition === "ok" ? troubles.join(" ") : "";
}

function nextOf(task, now) {
  const due = secondsOf(task.nextCheck);
  return due && due - now >= 1 ? due - now : null;
}

function watchBanner(task, condition, troubles, now) {
  if (!TROUBLE.includes(condition)) return troubles.join(" ");
  const parts = [stop(cap(watched(task, "text", now))), ...troubles];
  if (condition === "unreachable") parts.push(say("kept.on", { next: nextOf(task, now) }));
  return parts.join(" ");
}

function step(task, condition) {
  const at = stepOf(task);
  if (!at || !["ok", "stalled", "unreachable", "paused"].includes(condition)) return "";
  return say("page.step", { k: at[0], n: at[1], label: phase(at[2].key) });
}

function share(task, condition) {
  const at = stepOf(task);
  if (!at || !["ok", "stalled"].includes(condition)) return "";
  const one = at[2];
  if (one.key === "confirming") return say("step.checks", task.confirmations ?? {});
  if (one.key === "utxoindex") return say("step.no-numbers");
  if (one.progress == null) return "";
  const text = percent(Math.min(one.progress, 99.9), String(one.basis));
  return tidy(say("page.of-step", { percent: text }));
}

function whole(task, mark) {
  const basis = task.progressBasis || "unknown";
  if (basis === "unknown" && !task.progress) return null;
  return percent(task.progress || 0, basis, mark);
}

function percentText(task, condition, now) {
  const text = whole(task);
  if (text === null || isStale(task) || counting(task) || ["waiting", "not-started"].includes(condition)) return "";
  if (!OLD.includes(condition)) return tidy(text);
  const at = secondsOf(task.erroredAt || task.cancelledAt || task.lastUpdate);
  return tidy(say("last-seen", { percent: text, when: at ? when(at, now) : null }));
}

function etaOf(task) {
  const eta = task.estimatedTimeRemaining;
  return task.status === "in-progress" && typeof eta === "number" ? eta : null;
}

function left(task) {
  const eta = conditionOf(task) === "ok" ? etaOf(task) : null;
  return eta === null ? "" : say("page.left", { eta });
}

function ready(task, now) {
  const eta = conditionOf(task) === "ok" ? etaOf(task) : null;
  return eta === null ? "" : say("page.ready", { when: when(now + eta, now) });
}

function endedAt(task) {
  const fields = { "paused": "healthSince", "complete": "completedAt", "error": "erroredAt" };
  return secondsOf(task[fields[task.status] ?? "cancelledAt"]);
}

function note(task, condition, now) {
  if (condition === "ok") return going(task, now).join(" ");
  if (ILL.includes(condition)) return "";
  if (isWatched(task)) return stop(cap(watched(task, "text", now)));
  const kind = task.type === "node-sync" ? "node" : "work";
  const at = endedAt(task), began = secondsOf(task.startedAt);
  const texts = [say(ofType(task, `page.say.${condition}`), {
    names: awaited(task),
    when: at ? when(at, now) : null,
    took: at && began ? at - began : null,
    ...task.switching,
  })];
  if (condition === "paused") texts.push(say(`page.say.paused-${kind}`));
  else if (condition === "cancelled") texts.push(say(`page.say.untouched-${kind}`));
  else if (condition === "waiting") {
    const plain = say("waiting.note", { names: (task.waitingFor ?? []).join(", ") });
    const more = safe(task.note ?? "");
    if (more.startsWith(`${plain} `)) texts.push(more.slice(plain.length + 1));
  }
  return texts.join(" ");
}

function going(task, now) {
  const texts = [], detail = task.progressDetail, rate = task.syncRate;
  if (counting(task)) {
    const unit = safe(detail.unit || "", 40);
    texts.push(say("page.so-far", { done: detail.done, unit, rate }));
  }
  if (etaOf(task) === null && task.etaReason) {
    const unit = safe(String(task.rateUnit ?? "").replace(/\/s$/, ""), 40);
    const step = task.etaReason === "no-total" && !counting(task);
    const key = step ? "page.no-total" : `eta.${task.etaReason}`;
    const why = maybe(ofType(task, key), { rate, unit, drift: task.metadata?.drift });
    texts.push(stop(cap(why ?? safe(task.etaReason))));
  }
  if ((task.pass || 1) > 1) texts.push(stop(cap(say("step.pass", { pass: task.pass }))));
  const since = secondsOf(task.epoch?.since);
  if ((task.epoch?.number || 1) > 1 && since) {
    const known = entry("epoch.why");
    const why = known[task.epoch.reason] ?? known.other;
    texts.push(say("epoch.note", { when: when(since, now), why }));
  }
  return texts;
}

function facts(task, condition) {
  const own = OWN.includes(task.type) ? ownFacts(task) : [];
  if (!["ok", "stalled", "behind", "in-sync"].includes(condition)) return own;
  const told = isWatched(task) ? [] : [position(task)], rate = task.syncRate;
  if (condition === "ok" && rate && task.rateUnit && !counting(task)) {
    told.push(say("page.rate", { rate, unit: safe(task.rateUnit, 40) }));
  }
  if (task.behind && !isWatched(task)) told.push(say("position.behind", { behind: task.behind }));
  const peers = task.metadata?.peers;
  if (Number.isInteger(peers) && !own.length) told.push(say("status.peers", { n: peers }));
  told.push(room(task));
  return [...told, ...own].filter(Boolean);
}

function ownFacts(task) {
  const known = task.metadata ?? {};
  const past = ["in-progress", "paused"].includes(task.status) ? PROCESS.slice(1) : PROCESS;
  const isRun = PROCESS.every((key) => Object.hasOwn(known, key));
  return Object.entries(known).filter(([key]) => !isRun || !past.includes(key)).map(fact);
}

function fact([key, value]) {
  const isSize = key === "bytes" && typeof value === "number" && value >= 1e5;
  return say("page.fact", { key: safe(key, 64), value: isSize ? size(value) : safe(value, 200) });
}

function position(task) {
  const detail = task.progressDetail;
  if (detail?.done == null || detail.total == null || detail.unit === "%") return "";
  const key = detail.basis === "exact" ? "of" : "of-about";
  const unit = safe(detail.unit || "", 40);
  return say(`position.${key}`, { done: detail.done, total: detail.total, unit }).trimEnd();
}

function checked(task, now) {
  if (!lookedAt(task)) return "";
  const report = task.type === "report";
  const at = secondsOf(report ? task.lastUpdate : task.lastChecked);
  const every = task[kept(task) ? "watchInterval" : "checkInterval"] ?? null;
  const ago = at ? Math.max(0, Math.trunc(now - at)) : null;
  if (report) return ago === null ? "" : say("page.reported", { ago });
  return say("page.checked", { ago, every: every === null ? null : every / 1000 });
}

const cut = (value) => Math.trunc(value * 100) / 100;

function bar(task) {
  const phases = task.phases ?? [], progress = Number(task.progress || 0);
  if (!phases.length) {
    const known = progress ? [[0, cut(progress), "now"]] : [];
    const rest = [cut(progress), cut(100 - progress), counting(task) ? "hatch" : "next"];
    return progress < 100 ? [...known, rest] : known;
  }
  const sum = phases.reduce((before, one) => before + Number(one.weight || 0), 0) || 1;
  const segments = [];
  let begin = 0;
  for (const one of phases) {
    const width = (Number(one.weight || 0) / sum) * 100;
    segments.push(...segment(begin, width, one, counting(task)));
    begin += width;
  }
  return segments.map(([x, width, kind]) => [cut(x), cut(width), kind]);
}

function segment(begin, width, one, hatched) {
  if (one.state !== "current") return [[begin, width, one.state === "done" ? "done" : "next"]];
  if (one.progress == null) {
    return [[begin, width, hatched || one.key === "utxoindex" ? "hatch" : "next"]];
  }
  const full = (width * one.progress) / 100;
  return [[begin, full, "now"], [begin + full, width - full, "next"]];
}


function overview(tasks, now, host, problem = null, services = []) {
  const first = mostUrgent(tasks);
  const inTrouble = tasks.filter(troubled);
  const other = inTrouble.find((task) => task !== first) ?? null;
  const running = tasks.some((task) => task.status === "in-progress");
  return {
    title: title(tasks, host, null, services),
    headline: tidy(problem ? say("page.headline.store", { why: problem }) : headline(first, now)),
    reassure: problem ? say("page.store") : running ? say("page.reassure") : "",
    attention: tidy(attention(inTrouble, other, tasks.length, services, now).join(" ")),
    first: first?.id ?? null,
    troubled: other?.id ?? null,
    place: other ? `t-${other.id}` : services.length ? `s-${services[0].service}` : null,
  };
}

function mostUrgent(tasks) {
  const node = tasks.find(
    (task) => task.type === "node-sync"
      && (task.switching || LIVE.includes(task.status) || ILL.includes(conditionOf(task))),
  );
  const live = tasks.find((task) => LIVE.includes(task.status) && !task.waitingFor?.length);
  if (node || live) return node ?? live;
  const under = tasks.filter(kept), rank = (task) => (
    (troubled(task) ? 0 : 2) + (task.type === "node-sync" ? 0 : 1)
  );
  if (under.length) return under.reduce((best, task) => (rank(task) < rank(best) ? task : best));
  const at = (task) => (task.status === "error" ? 0 : (endedAt(task) ?? 0));
  return tasks.reduce((best, task) => (best && at(best) >= at(task) ? best : task), null);
}

function title(tasks, host, lost = null, services = []) {
  host = safe(host, 100);
  const first = mostUrgent(tasks);
  const text = first && !isStale(first) ? shortPercent(first) : "";
  if (lost) return say("page.title.lost", { percent: text || null, when: lost, host });
  const trouble = tasks.find(troubled);
  const [service] = services;
  if (trouble || service) {
    const name = trouble ? nameOf(trouble) : safe(service.service, 100);
    return say("page.title.trouble", { name, host });
  }
  if (!first) return say("page.title.other", { word: say("page.name"), host });
  const eta = etaOf(first);
  if (first.status === "in-progress" && text) {
    return say(`page.title.${eta === null ? "share" : "left"}`, { percent: text, eta, host });
  }
  const word = conditionOf(first) === "complete" ? wordOf(first) : stateOf(first);
  return say("page.title.other", { word: cap(word), host });
}

function shortPercent(task) {
  if (whole(task) === null) return "";
  return tidy(percent(Math.trunc(task.progress || 0), "estimated", "exact"));
}

function headline(task, now) {
  if (task === null) return say("headline.none");
  if (isWatched(task)) return about(task, now);
  const key = conditionOf(task), eta = etaOf(task), at = endedAt(task);
  const known = { ...shape(task, now), when: at ? when(at, now) : null };
  if (key === "ok") {
    return also(task, say(eta === null ? "headline.running" : "page.headline.left", known));
  }
  const page = ["complete", "switching", "error"].includes(key);
  return say(page ? `page.headline.${key}` : ofType(task, `headline.${said(task)}`), known);
}

const shape = (task, now) => ({
  name: nameOf(task),
  word: wordOf(task),
  names: awaited(task),
  since: sinceOf(task, now),
  eta: etaOf(task),
  ...task.switching,
});

function attention(inTrouble, other, total, services, now) {
  const told = [];
  if (other) {
    const count = say("attention.count", { n: inTrouble.length, total });
    told.push(stop(say("page.attention", { count, what: headline(other, now) })));
  }
  if (services.length) {
    const count = say("attention.services", { n: services.length });
    told.push(stop(say("page.attention", { count, what: safe(services[0].note) })));
  }
  return told;
}
return { OLD, tidy, stop, view, conditionOf, kept, lookedAt, isWatched, seenBy, about, said, troubled, filling, bar, overview, mostUrgent, title, shape };
})();
const m_emitter_js = (() => {
class Emitter {
  #listeners = new Map();

  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => this.off(name, listener);
  }

  off(name, listener) {
    this.#listeners.get(name)?.delete(listener);
  }

  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // it is the listener's own: seen by whoever watches for errors
        });
      }
    }
  }
}
return { Emitter };
})();
const m_errors_js = (() => {
class TaskdError extends Error {
  constructor({ code = null, message, data = {} }) {
    super(message);
    this.name = "TaskdError";
    this.code = code;
    this.data = data ?? {};
    this.reason = this.data.reason ?? null;
  }
}

function failure(reason, message, data = {}) {
  return new TaskdError({ message, data: { reason, ...data } });
}
return { TaskdError, failure };
})();
const m_journal_js = (() => {
const PAGE = 1000;

class Journal {
  seq;
  name;
  #ask;
  #take;
  #gap;
  #newest = 0; // told or known of; an event is on record before it is told
  #filling = null;
  #last = null; // the event `seq`, if it came to us
  #unsure = false; // on a new line nothing is taken until it is known whose journal it tells
  #line = 0;

  constructor(seq, { getEvents, take, gap }, name = null) {
    this.seq = seq;
    this.name = name;
    this.#ask = getEvents;
    this.#take = take;
    this.#gap = gap;
  }

  doubt() {
    this.#line += 1;
    this.#newest = 0;
    this.#unsure = this.seq !== null;
  }

  told(name, data) {
    this.#newest = Math.max(this.#newest, data.seq);
    if (this.seq === null || this.#unsure) return;
    if (data.seq === this.seq + 1) this.#pass(name, data);
    else if (data.seq > this.seq) this.#fill();
  }

  async reached(seq, name = null) {
    const line = this.#line;
    const other = name !== null && this.name !== null && name !== this.name;
    const same = !other && (!this.#unsure || (await this.#isSame()));
    if (line !== this.#line) return; // another one by now, of which we shall hear
    this.name = name ?? this.name;
    this.#unsure = false;
    if (this.seq !== null && !same) this.#jump(seq);
    this.seq ??= seq;
    this.#newest = Math.max(this.#newest, seq);
    if (this.#newest > this.seq || seq < this.seq) await this.#fill();
  }

  async #isSame() {
    const mine = this.#last;
    if (mine === null) return true;
    try {
      const { events, oldest } = await this.#ask({ after: mine.seq - 1, limit: 1 });
      const its = events[0];
      const same = its?.event === mine.name && its.data.timestamp === mine.timestamp;
      return same || mine.seq < oldest;
    } catch (error) {
      if (error.reason === "gap") return mine.seq < error.data.oldest;
      throw error; // no answer: whoever asked asks again
    }
  }

  #fill() {
    this.#filling ??= this.#fetchAll().finally(() => (this.#filling = null));
    return this.#filling;
  }

  async #fetchAll() {
    let before = null;
    do {
      before = this.seq;
      try {
        const { events } = await this.#ask({ after: before, limit: PAGE });
        for (const { seq, event, data } of events) {
          if (seq === this.seq + 1 || this.seq === 0) this.#pass(event, { ...data, seq });
        }
      } catch (error) {
        if (error.reason === "gap") this.#jump((this.#newest = error.data.seq));
      }
    } while (before !== this.seq && this.seq < this.#newest);
  }

  #jump(seq) {
    const from = this.seq;
    this.seq = seq;
    this.#last = null;
    this.#gap({ from, to: seq });
  }

  #pass(name, data) {
    this.seq = data.seq;
    this.#last = { seq: data.seq, name, timestamp: data.timestamp };
    this.#take(name, data);
  }
}
return { Journal };
})();
const m_mirror_js = (() => {
const { seenBy } = m_______static_view_js;
const AT_ONCE = 10; // tasks asked for together
const PAUSE_MS = 1000; // between two rounds for what only moved; what happened is asked for at once
const MOVES = [
  "status", "health", "phase", "progress", "estimatedTimeRemaining", "formattedTimeRemaining",
];

class Mirror {
  tasks = new Map();
  #fetch;
  #changed;
  #urgent = new Set();
  #routine = new Set();
  #pumping = false;
  #wake = () => {};

  constructor(fetch, changed) {
    this.#fetch = fetch;
    this.#changed = changed;
  }

  replace(list) {
    const ids = new Set(list.map((task) => task.id));
    for (const id of [...this.tasks.keys()]) if (!ids.has(id)) this.#set(id, null);
    for (const task of list) this.#set(task.id, task);
  }

  put(id, task) {
    if (!older(task, this.tasks.get(id))) this.#set(id, task);
  }

  moved(data) {
    const known = this.tasks.get(data.taskId);
    const after = known && data.progress >= known.progress ? patched(known, data) : known;
    if (after !== known) this.#become(known.id, known, after);
    this.refresh(data.taskId, false);
  }

  refresh(id, urgent = true) {
    (urgent ? this.#urgent : this.#routine).add(id);
    if (!this.#pumping) this.#pump();
    else if (urgent) this.#wake();
  }

  rest() {
    this.#urgent.clear();
    this.#routine.clear();
  }

  async #pump() {
    this.#pumping = true;
    while (this.#urgent.size || this.#routine.size) {
      const ids = [...(this.#urgent.size ? this.#urgent : this.#routine)].slice(0, AT_ONCE);
      for (const id of ids) for (const due of [this.#urgent, this.#routine]) due.delete(id);
      await Promise.all(ids.map((id) => this.#renew(id)));
      if (!this.#urgent.size) await this.#pause();
    }
    this.#pumping = false;
  }

  #pause() {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, PAUSE_MS);
    });
  }

  async #renew(id) {
    let task;
    try {
      task = await this.#fetch(id);
    } catch {
      return; // no answer: the next event, or the next snapshot, asks again
    }
    this.put(id, task);
  }

  #set(id, task) {
    const before = this.tasks.get(id) ?? null;
    if (JSON.stringify(before) !== JSON.stringify(task)) this.#become(id, before, task);
  }

  #become(id, before, task) {
    if (task) this.tasks.set(id, frozen(task));
    else this.tasks.delete(id);
    this.#changed(before, task && this.tasks.get(id));
  }
}

function patched(known, data) {
  const after = { ...known, ...seenBy(data, known) };
  for (const field of MOVES) if (field in data) after[field] = data[field];
  if (after.estimatedTimeRemaining !== null) after.etaReason = null;
  if (data.syncRate > 0) after.syncRate = data.syncRate;
  return Object.keys(after).every((key) => same(after[key], known[key])) ? known : after;
}

function same(one, other) {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}

function older(task, known) {
  return Boolean(task && known) && task.createdAt === known.createdAt
    && task.revision < known.revision;
}

function frozen(value) {
  if (value && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
return { Mirror };
})();
const m_______static_vendor_socket_io_client_4_8_4_socket_io_esm_min_js = (() => {
/*!
 * Socket.IO v4.8.4
 * (c) 2014-2026 Guillermo Rauch
 * Released under the MIT License.
 */
const t=Object.create(null);t.open="0",t.close="1",t.ping="2",t.pong="3",t.message="4",t.upgrade="5",t.noop="6";const s=Object.create(null);Object.keys(t).forEach((i=>{s[t[i]]=i}));const i={type:"error",data:"parser error"},e="function"==typeof Blob||"undefined"!=typeof Blob&&"[object BlobConstructor]"===Object.prototype.toString.call(Blob),n="function"==typeof ArrayBuffer,r=t=>"function"==typeof ArrayBuffer.isView?ArrayBuffer.isView(t):t&&t.buffer instanceof ArrayBuffer,o=({type:s,data:i},o,c)=>e&&i instanceof Blob?o?c(i):h(i,c):n&&(i instanceof ArrayBuffer||r(i))?o?c(i):h(new Blob([i]),c):c(t[s]+(i||"")),h=(t,s)=>{const i=new FileReader;return i.onload=function(){const t=i.result.split(",")[1];s("b"+(t||""))},i.readAsDataURL(t)};function c(t){return t instanceof Uint8Array?t:t instanceof ArrayBuffer?new Uint8Array(t):new Uint8Array(t.buffer,t.byteOffset,t.byteLength)}let a;const u="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",f="undefined"==typeof Uint8Array?[]:new Uint8Array(256);for(let t=0;t<64;t++)f[u.charCodeAt(t)]=t;const l="function"==typeof ArrayBuffer,d=(t,e)=>{if("string"!=typeof t)return{type:"message",data:y(t,e)};const n=t.charAt(0);if("b"===n)return{type:"message",data:p(t.substring(1),e)};return s[n]?t.length>1?{type:s[n],data:t.substring(1)}:{type:s[n]}:i},p=(t,s)=>{if(l){const i=(t=>{let s,i,e,n,r,o=.75*t.length,h=t.length,c=0;"="===t[t.length-1]&&(o--,"="===t[t.length-2]&&o--);const a=new ArrayBuffer(o),u=new Uint8Array(a);for(s=0;s<h;s+=4)i=f[t.charCodeAt(s)],e=f[t.charCodeAt(s+1)],n=f[t.charCodeAt(s+2)],r=f[t.charCodeAt(s+3)],u[c++]=i<<2|e>>4,u[c++]=(15&e)<<4|n>>2,u[c++]=(3&n)<<6|63&r;return a})(t);return y(i,s)}return{base64:!0,data:t}},y=(t,s)=>"blob"===s?t instanceof Blob?t:new Blob([t]):t instanceof ArrayBuffer?t:t.buffer,b=String.fromCharCode(30);function w(){return new TransformStream({transform(t,s){!function(t,s){e&&t.data instanceof Blob?t.data.arrayBuffer().then(c).then(s):n&&(t.data instanceof ArrayBuffer||r(t.data))?s(c(t.data)):o(t,!1,(t=>{a||(a=new TextEncoder),s(a.encode(t))}))}(t,(i=>{const e=i.length;let n;if(e<126)n=new Uint8Array(1),new DataView(n.buffer).setUint8(0,e);else if(e<65536){n=new Uint8Array(3);const t=new DataView(n.buffer);t.setUint8(0,126),t.setUint16(1,e)}else{n=new Uint8Array(9);const t=new DataView(n.buffer);t.setUint8(0,127),t.setBigUint64(1,BigInt(e))}t.data&&"string"!=typeof t.data&&(n[0]|=128),s.enqueue(n),s.enqueue(i)}))}})}let g;function v(t){return t.reduce(((t,s)=>t+s.length),0)}function m(t,s){if(t[0].length===s)return t.shift();const i=new Uint8Array(s);let e=0;for(let n=0;n<s;n++)i[n]=t[0][e++],e===t[0].length&&(t.shift(),e=0);return t.length&&e<t[0].length&&(t[0]=t[0].slice(e)),i}function k(t){if(t)return function(t){for(var s in k.prototype)t[s]=k.prototype[s];return t}(t)}k.prototype.on=k.prototype.addEventListener=function(t,s){return this.t=this.t||{},(this.t["$"+t]=this.t["$"+t]||[]).push(s),this},k.prototype.once=function(t,s){function i(){this.off(t,i),s.apply(this,arguments)}return i.fn=s,this.on(t,i),this},k.prototype.off=k.prototype.removeListener=k.prototype.removeAllListeners=k.prototype.removeEventListener=function(t,s){if(this.t=this.t||{},0==arguments.length)return this.t={},this;var i,e=this.t["$"+t];if(!e)return this;if(1==arguments.length)return delete this.t["$"+t],this;for(var n=0;n<e.length;n++)if((i=e[n])===s||i.fn===s){e.splice(n,1);break}return 0===e.length&&delete this.t["$"+t],this},k.prototype.emit=function(t){this.t=this.t||{};for(var s=new Array(arguments.length-1),i=this.t["$"+t],e=1;e<arguments.length;e++)s[e-1]=arguments[e];if(i){e=0;for(var n=(i=i.slice(0)).length;e<n;++e)i[e].apply(this,s)}return this},k.prototype.emitReserved=k.prototype.emit,k.prototype.listeners=function(t){return this.t=this.t||{},this.t["$"+t]||[]},k.prototype.hasListeners=function(t){return!!this.listeners(t).length};const A="function"==typeof Promise&&"function"==typeof Promise.resolve?t=>Promise.resolve().then(t):(t,s)=>s(t,0),E="undefined"!=typeof self?self:"undefined"!=typeof window?window:Function("return this")();function O(t,...s){return s.reduce(((s,i)=>(t.hasOwnProperty(i)&&(s[i]=t[i]),s)),{})}const _=E.setTimeout,j=E.clearTimeout;function B(t,s){s.useNativeTimers?(t.setTimeoutFn=_.bind(E),t.clearTimeoutFn=j.bind(E)):(t.setTimeoutFn=E.setTimeout.bind(E),t.clearTimeoutFn=E.clearTimeout.bind(E))}function x(){return Date.now().toString(36).substring(3)+Math.random().toString(36).substring(2,5)}class C extends Error{constructor(t,s,i){super(t),this.description=s,this.context=i,this.type="TransportError"}}class T extends k{constructor(t){super(),this.writable=!1,B(this,t),this.opts=t,this.query=t.query,this.socket=t.socket,this.supportsBinary=!t.forceBase64}onError(t,s,i){return super.emitReserved("error",new C(t,s,i)),this}open(){return this.readyState="opening",this.doOpen(),this}close(){return"opening"!==this.readyState&&"open"!==this.readyState||(this.doClose(),this.onClose()),this}send(t){"open"===this.readyState&&this.write(t)}onOpen(){this.readyState="open",this.writable=!0,super.emitReserved("open")}onData(t){const s=d(t,this.socket.binaryType);this.onPacket(s)}onPacket(t){super.emitReserved("packet",t)}onClose(t){this.readyState="closed",super.emitReserved("close",t)}pause(t){}createUri(t,s={}){return t+"://"+this.i()+this.o()+this.opts.path+this.h(s)}i(){const t=this.opts.hostname;return-1===t.indexOf(":")?t:"["+t+"]"}o(){return this.opts.port&&(this.opts.secure&&443!==Number(this.opts.port)||!this.opts.secure&&80!==Number(this.opts.port))?":"+this.opts.port:""}h(t){const s=function(t){let s="";for(let i in t)t.hasOwnProperty(i)&&(s.length&&(s+="&"),s+=encodeURIComponent(i)+"="+encodeURIComponent(t[i]));return s}(t);return s.length?"?"+s:""}}class N extends T{constructor(){super(...arguments),this.u=!1}get name(){return"polling"}doOpen(){this.l()}pause(t){this.readyState="pausing";const s=()=>{this.readyState="paused",t()};if(this.u||!this.writable){let t=0;this.u&&(t++,this.once("pollComplete",(function(){--t||s()}))),this.writable||(t++,this.once("drain",(function(){--t||s()})))}else s()}l(){this.u=!0,this.doPoll(),this.emitReserved("poll")}onData(t){((t,s)=>{const i=t.split(b),e=[];for(let t=0;t<i.length;t++){const n=d(i[t],s);if(e.push(n),"error"===n.type)break}return e})(t,this.socket.binaryType).forEach((t=>{if("opening"===this.readyState&&"open"===t.type&&this.onOpen(),"close"===t.type)return this.onClose({description:"transport closed by the server"}),!1;this.onPacket(t)})),"closed"!==this.readyState&&(this.u=!1,this.emitReserved("pollComplete"),"open"===this.readyState&&this.l())}doClose(){const t=()=>{this.write([{type:"close"}])};"open"===this.readyState?t():this.once("open",t)}write(t){this.writable=!1,((t,s)=>{const i=t.length,e=new Array(i);let n=0;t.forEach(((t,r)=>{o(t,!1,(t=>{e[r]=t,++n===i&&s(e.join(b))}))}))})(t,(t=>{this.doWrite(t,(()=>{this.writable=!0,this.emitReserved("drain")}))}))}uri(){const t=this.opts.secure?"https":"http",s=this.query||{};return!1!==this.opts.timestampRequests&&(s[this.opts.timestampParam]=x()),this.supportsBinary||s.sid||(s.b64=1),this.createUri(t,s)}}let U=!1;try{U="undefined"!=typeof XMLHttpRequest&&"withCredentials"in new XMLHttpRequest}catch(t){}const P=U;function D(){}class M extends N{constructor(t){if(super(t),"undefined"!=typeof location){const s="https:"===location.protocol;let i=location.port;i||(i=s?"443":"80"),this.xd="undefined"!=typeof location&&t.hostname!==location.hostname||i!==t.port}}doWrite(t,s){const i=this.request({method:"POST",data:t});i.on("success",s),i.on("error",((t,s)=>{this.onError("xhr post error",t,s)}))}doPoll(){const t=this.request();t.on("data",this.onData.bind(this)),t.on("error",((t,s)=>{this.onError("xhr poll error",t,s)})),this.pollXhr=t}}class S extends k{constructor(t,s,i){super(),this.createRequest=t,B(this,i),this.p=i,this.v=i.method||"GET",this.m=s,this.k=void 0!==i.data?i.data:null,this.A()}A(){var t;const s=O(this.p,"agent","pfx","key","passphrase","cert","ca","ciphers","rejectUnauthorized","autoUnref");s.xdomain=!!this.p.xd;const i=this.O=this.createRequest(s);try{i.open(this.v,this.m,!0);try{if(this.p.extraHeaders){i.setDisableHeaderCheck&&i.setDisableHeaderCheck(!0);for(let t in this.p.extraHeaders)this.p.extraHeaders.hasOwnProperty(t)&&i.setRequestHeader(t,this.p.extraHeaders[t])}}catch(t){}if("POST"===this.v)try{i.setRequestHeader("Content-type","text/plain;charset=UTF-8")}catch(t){}try{i.setRequestHeader("Accept","*/*")}catch(t){}null===(t=this.p.cookieJar)||void 0===t||t.addCookies(i),"withCredentials"in i&&(i.withCredentials=this.p.withCredentials),this.p.requestTimeout&&(i.timeout=this.p.requestTimeout),i.onreadystatechange=()=>{var t;3===i.readyState&&(null===(t=this.p.cookieJar)||void 0===t||t.parseCookies(i.getResponseHeader("set-cookie"))),4===i.readyState&&(200===i.status||1223===i.status?this._():this.setTimeoutFn((()=>{this.j("number"==typeof i.status?i.status:0)}),0))},i.send(this.k)}catch(t){return void this.setTimeoutFn((()=>{this.j(t)}),0)}"undefined"!=typeof document&&(this.B=S.requestsCount++,S.requests[this.B]=this)}j(t){this.emitReserved("error",t,this.O),this.C(!0)}C(t){if(void 0!==this.O&&null!==this.O){if(this.O.onreadystatechange=D,t)try{this.O.abort()}catch(t){}"undefined"!=typeof document&&delete S.requests[this.B],this.O=null}}_(){const t=this.O.responseText;null!==t&&(this.emitReserved("data",t),this.emitReserved("success"),this.C())}abort(){this.C()}}if(S.requestsCount=0,S.requests={},"undefined"!=typeof document)if("function"==typeof attachEvent)attachEvent("onunload",L);else if("function"==typeof addEventListener){addEventListener("onpagehide"in E?"pagehide":"unload",L,!1)}function L(){for(let t in S.requests)S.requests.hasOwnProperty(t)&&S.requests[t].abort()}const R=function(){const t=F({xdomain:!1});return t&&null!==t.responseType}();class I extends M{constructor(t){super(t);const s=t&&t.forceBase64;this.supportsBinary=R&&!s}request(t={}){return Object.assign(t,{xd:this.xd},this.opts),new S(F,this.uri(),t)}}function F(t){const s=t.xdomain;try{if("undefined"!=typeof XMLHttpRequest&&(!s||P))return new XMLHttpRequest}catch(t){}if(!s)try{return new(E[["Active"].concat("Object").join("X")])("Microsoft.XMLHTTP")}catch(t){}}const $="undefined"!=typeof navigator&&"string"==typeof navigator.product&&"reactnative"===navigator.product.toLowerCase();class V extends T{get name(){return"websocket"}doOpen(){const t=this.uri(),s=this.opts.protocols,i=$?{}:O(this.opts,"agent","perMessageDeflate","pfx","key","passphrase","cert","ca","ciphers","rejectUnauthorized","localAddress","protocolVersion","origin","maxPayload","family","checkServerIdentity");this.opts.extraHeaders&&(i.headers=this.opts.extraHeaders);try{this.ws=this.createSocket(t,s,i)}catch(t){return this.emitReserved("error",t)}this.ws.binaryType=this.socket.binaryType,this.addEventListeners()}addEventListeners(){this.ws.onopen=()=>{this.opts.autoUnref&&this.ws.T.unref(),this.onOpen()},this.ws.onclose=t=>this.onClose({description:"websocket connection closed",context:t}),this.ws.onmessage=t=>this.onData(t.data),this.ws.onerror=t=>this.onError("websocket error",t)}write(t){this.writable=!1;for(let s=0;s<t.length;s++){const i=t[s],e=s===t.length-1;o(i,this.supportsBinary,(t=>{try{this.doWrite(i,t)}catch(t){}e&&A((()=>{this.writable=!0,this.emitReserved("drain")}),this.setTimeoutFn)}))}}doClose(){void 0!==this.ws&&(this.ws.onerror=()=>{},this.ws.close(),this.ws=null)}uri(){const t=this.opts.secure?"wss":"ws",s=this.query||{};return this.opts.timestampRequests&&(s[this.opts.timestampParam]=x()),this.supportsBinary||(s.b64=1),this.createUri(t,s)}}const W=E.WebSocket||E.MozWebSocket;class q extends V{createSocket(t,s,i){return $?new W(t,s,i):s?new W(t,s):new W(t)}doWrite(t,s){this.ws.send(s)}}class H extends T{get name(){return"webtransport"}doOpen(){try{this.N=new WebTransport(this.createUri("https"),this.opts.transportOptions[this.name])}catch(t){return this.emitReserved("error",t)}this.N.closed.then((()=>{this.onClose()})).catch((t=>{this.onError("webtransport error",t)})),this.N.ready.then((()=>{this.N.createBidirectionalStream().then((t=>{const s=function(t,s){g||(g=new TextDecoder);const e=[];let n=0,r=-1,o=!1;return new TransformStream({transform(h,c){for(e.push(h);;){if(0===n){if(v(e)<1)break;const t=m(e,1);o=!(128&~t[0]),r=127&t[0],n=r<126?3:126===r?1:2}else if(1===n){if(v(e)<2)break;const t=m(e,2);r=new DataView(t.buffer,t.byteOffset,t.length).getUint16(0),n=3}else if(2===n){if(v(e)<8)break;const t=m(e,8),s=new DataView(t.buffer,t.byteOffset,t.length),o=s.getUint32(0);if(o>Math.pow(2,21)-1){c.enqueue(i);break}r=o*Math.pow(2,32)+s.getUint32(4),n=3}else{if(v(e)<r)break;const t=m(e,r);c.enqueue(d(o?t:g.decode(t),s)),n=0}if(0===r||r>t){c.enqueue(i);break}}}})}(Number.MAX_SAFE_INTEGER,this.socket.binaryType),e=t.readable.pipeThrough(s).getReader(),n=w();n.readable.pipeTo(t.writable),this.U=n.writable.getWriter();const r=()=>{e.read().then((({done:t,value:s})=>{t||(this.onPacket(s),r())})).catch((t=>{}))};r();const o={type:"open"};this.query.sid&&(o.data=`{"sid":"${this.query.sid}"}`),this.U.write(o).then((()=>this.onOpen()))}))}))}write(t){this.writable=!1;for(let s=0;s<t.length;s++){const i=t[s],e=s===t.length-1;this.U.write(i).then((()=>{e&&A((()=>{this.writable=!0,this.emitReserved("drain")}),this.setTimeoutFn)}))}}doClose(){var t;null===(t=this.N)||void 0===t||t.close()}}const X={websocket:q,webtransport:H,polling:I},z=/^(?:(?![^:@\/?#]+:[^:@\/]*@)(http|https|ws|wss):\/\/)?((?:(([^:@\/?#]*)(?::([^:@\/?#]*))?)?@)?((?:[a-f0-9]{0,4}:){2,7}[a-f0-9]{0,4}|[^:\/?#]*)(?::(\d*))?)(((\/(?:[^?#](?![^?#\/]*\.[^?#\/.]+(?:[?#]|$)))*\/?)?([^?#\/]*))(?:\?([^#]*))?(?:#(.*))?)/,J=["source","protocol","authority","userInfo","user","password","host","port","relative","path","directory","file","query","anchor"];function Q(t){if(t.length>8e3)throw"URI too long";const s=t,i=t.indexOf("["),e=t.indexOf("]");-1!=i&&-1!=e&&(t=t.substring(0,i)+t.substring(i,e).replace(/:/g,";")+t.substring(e,t.length));let n=z.exec(t||""),r={},o=14;for(;o--;)r[J[o]]=n[o]||"";return-1!=i&&-1!=e&&(r.source=s,r.host=r.host.substring(1,r.host.length-1).replace(/;/g,":"),r.authority=r.authority.replace("[","").replace("]","").replace(/;/g,":"),r.ipv6uri=!0),r.pathNames=function(t,s){const i=/\/{2,9}/g,e=s.replace(i,"/").split("/");"/"!=s.slice(0,1)&&0!==s.length||e.splice(0,1);"/"==s.slice(-1)&&e.splice(e.length-1,1);return e}(0,r.path),r.queryKey=function(t,s){const i={};return s.replace(/(?:^|&)([^&=]*)=?([^&]*)/g,(function(t,s,e){s&&(i[s]=e)})),i}(0,r.query),r}const G="function"==typeof addEventListener&&"function"==typeof removeEventListener,K=[];G&&addEventListener("offline",(()=>{K.forEach((t=>t()))}),!1);class Y extends k{constructor(t,s={}){var i,e;if(super(),this.binaryType="arraybuffer",this.writeBuffer=[],this.P=0,this.D=[],this.M=-1,this.S=-1,this.L=-1,this.R=1/0,t&&"object"==typeof t&&(s=t,t=null),t){const i=Q(t);s.hostname=i.host,s.secure="https"===i.protocol||"wss"===i.protocol,s.port=i.port,i.query&&(s.query=i.query)}else s.host&&(s.hostname=Q(s.host).host);if(B(this,s),this.secure=null!=s.secure?s.secure:"undefined"!=typeof location&&"https:"===location.protocol,s.hostname&&!s.port&&(s.port=this.secure?"443":"80"),this.hostname=s.hostname||("undefined"!=typeof location?location.hostname:"localhost"),this.port=s.port||("undefined"!=typeof location&&location.port?location.port:this.secure?"443":"80"),s.transportImplementations&&s.transports)throw new Error("specifying both 'transportImplementations' and 'transports' options is not supported");s.transportImplementations||(null===(i=s.transports)||void 0===i?void 0:i.length)&&"function"==typeof s.transports[0]?(this.transports=[],this.I=Object.create(null),(null!==(e=s.transportImplementations)&&void 0!==e?e:s.transports).forEach((t=>{const s=t.prototype.name;this.transports.push(s),this.I[s]=t}))):(this.transports=s.transports?[...s.transports]:["polling","websocket","webtransport"],this.I=X),this.opts=Object.assign({path:"/engine.io",agent:!1,withCredentials:!1,upgrade:!0,timestampParam:"t",rememberUpgrade:!1,addTrailingSlash:!0,rejectUnauthorized:!0,perMessageDeflate:{threshold:1024},transportOptions:{},closeOnBeforeunload:!1},s),this.opts.path=this.opts.path.replace(/\/$/,"")+(this.opts.addTrailingSlash?"/":""),"string"==typeof this.opts.query&&(this.opts.query=function(t){let s={},i=t.split("&");for(let t=0,e=i.length;t<e;t++){let e=i[t].split("=");s[decodeURIComponent(e[0])]=decodeURIComponent(e[1])}return s}(this.opts.query)),G&&(this.opts.closeOnBeforeunload&&(this.F=()=>{this.transport&&(this.transport.removeAllListeners(),this.transport.close())},addEventListener("beforeunload",this.F,!1)),"localhost"!==this.hostname&&(this.$=()=>{this.V("transport close",{description:"network connection lost"})},K.push(this.$))),this.opts.withCredentials&&(this.W=void 0),this.q()}createTransport(t){const s=Object.assign({},this.opts.query);s.EIO=4,s.transport=t,this.id&&(s.sid=this.id);const i=Object.assign({},this.opts,{query:s,socket:this,hostname:this.hostname,secure:this.secure,port:this.port},this.opts.transportOptions[t]);return new this.I[t](i)}q(){if(0===this.transports.length)return void this.setTimeoutFn((()=>{this.emitReserved("error","No transports available")}),0);const t=this.opts.rememberUpgrade&&Y.priorWebsocketSuccess&&-1!==this.transports.indexOf("websocket")?"websocket":this.transports[0];this.readyState="opening";const s=this.createTransport(t);s.open(),this.setTransport(s)}setTransport(t){this.transport&&this.transport.removeAllListeners(),this.transport=t,t.on("drain",this.H.bind(this)).on("packet",this.X.bind(this)).on("error",this.j.bind(this)).on("close",(t=>this.V("transport close",t)))}J(t){let s=this.createTransport(t),i=!1;Y.priorWebsocketSuccess=!1;const e=()=>{i||(s.send([{type:"ping",data:"probe"}]),s.once("packet",(t=>{if(!i)if("pong"===t.type&&"probe"===t.data){if(this.upgrading=!0,this.emitReserved("upgrading",s),!s)return;Y.priorWebsocketSuccess="websocket"===s.name,this.transport.pause((()=>{i||"closed"!==this.readyState&&(a(),this.setTransport(s),s.send([{type:"upgrade"}]),this.emitReserved("upgrade",s),s=null,this.upgrading=!1,this.flush())}))}else{const t=new Error("probe error");t.transport=s.name,this.emitReserved("upgradeError",t)}})))};function n(){i||(i=!0,a(),s.close(),s=null)}const r=t=>{const i=new Error("probe error: "+t);i.transport=s.name,n(),this.emitReserved("upgradeError",i)};function o(){r("transport closed")}function h(){r("socket closed")}function c(t){s&&t.name!==s.name&&n()}const a=()=>{s.removeListener("open",e),s.removeListener("error",r),s.removeListener("close",o),this.off("close",h),this.off("upgrading",c)};s.once("open",e),s.once("error",r),s.once("close",o),this.once("close",h),this.once("upgrading",c),-1!==this.D.indexOf("webtransport")&&"webtransport"!==t?this.setTimeoutFn((()=>{i||s.open()}),200):s.open()}onOpen(){if(this.readyState="open",Y.priorWebsocketSuccess="websocket"===this.transport.name,this.emitReserved("open"),this.flush(),"open"===this.readyState&&this.opts.upgrade)for(let t=0;t<this.D.length;t++)this.J(this.D[t])}X(t){if("opening"===this.readyState||"open"===this.readyState||"closing"===this.readyState)switch(this.emitReserved("packet",t),this.emitReserved("heartbeat"),t.type){case"open":this.onHandshake(JSON.parse(t.data));break;case"ping":this.G("pong"),this.emitReserved("ping"),this.emitReserved("pong"),this.K();break;case"error":const s=new Error("server error");s.code=t.data,this.j(s);break;case"message":this.emitReserved("data",t.data),this.emitReserved("message",t.data)}}onHandshake(t){this.emitReserved("handshake",t),this.id=t.sid,this.transport.query.sid=t.sid,this.D=this.Y(t.upgrades),this.M=t.pingInterval,this.S=t.pingTimeout,this.L=t.maxPayload,this.onOpen(),"closed"!==this.readyState&&this.K()}K(){this.clearTimeoutFn(this.Z);const t=this.M+this.S;this.R=Date.now()+t,this.Z=this.setTimeoutFn((()=>{this.V("ping timeout")}),t),this.opts.autoUnref&&this.Z.unref()}H(){this.writeBuffer.splice(0,this.P),this.P=0,0===this.writeBuffer.length?this.emitReserved("drain"):this.flush()}flush(){if("closed"!==this.readyState&&this.transport.writable&&!this.upgrading&&this.writeBuffer.length){const t=this.tt();this.transport.send(t),this.P=t.length,this.emitReserved("flush")}}tt(){if(!(this.L&&"polling"===this.transport.name&&this.writeBuffer.length>1))return this.writeBuffer;let t=1;for(let i=0;i<this.writeBuffer.length;i++){const e=this.writeBuffer[i].data;if(e&&(t+="string"==typeof(s=e)?function(t){let s=0,i=0;for(let e=0,n=t.length;e<n;e++)s=t.charCodeAt(e),s<128?i+=1:s<2048?i+=2:s<55296||s>=57344?i+=3:(e++,i+=4);return i}(s):Math.ceil(1.33*(s.byteLength||s.size))),i>0&&t>this.L)return this.writeBuffer.slice(0,i);t+=2}var s;return this.writeBuffer}st(){if(!this.R)return!0;const t=Date.now()>this.R;return t&&(this.R=0,A((()=>{this.V("ping timeout")}),this.setTimeoutFn)),t}write(t,s,i){return this.G("message",t,s,i),this}send(t,s,i){return this.G("message",t,s,i),this}G(t,s,i,e){if("function"==typeof s&&(e=s,s=void 0),"function"==typeof i&&(e=i,i=null),"closing"===this.readyState||"closed"===this.readyState)return;(i=i||{}).compress=!1!==i.compress;const n={type:t,data:s,options:i};this.emitReserved("packetCreate",n),this.writeBuffer.push(n),e&&this.once("flush",e),this.flush()}close(){const t=()=>{this.V("forced close"),this.transport.close()},s=()=>{this.off("upgrade",s),this.off("upgradeError",s),t()},i=()=>{this.once("upgrade",s),this.once("upgradeError",s)};return"opening"!==this.readyState&&"open"!==this.readyState||(this.readyState="closing",this.writeBuffer.length?this.once("drain",(()=>{this.upgrading?i():t()})):this.upgrading?i():t()),this}j(t){if(Y.priorWebsocketSuccess=!1,this.opts.tryAllTransports&&this.transports.length>1&&"opening"===this.readyState)return this.transports.shift(),this.q();this.emitReserved("error",t),this.V("transport error",t)}V(t,s){if("opening"===this.readyState||"open"===this.readyState||"closing"===this.readyState){if(this.clearTimeoutFn(this.Z),this.transport.removeAllListeners("close"),this.transport.close(),this.transport.removeAllListeners(),G&&(this.F&&removeEventListener("beforeunload",this.F,!1),this.$)){const t=K.indexOf(this.$);-1!==t&&K.splice(t,1)}this.readyState="closed",this.id=null,this.emitReserved("close",t,s),this.writeBuffer=[],this.P=0}}Y(t){const s=[];for(let i=0;i<t.length;i++)~this.transports.indexOf(t[i])&&s.push(t[i]);return s}}Y.protocol=4;class Z extends N{doPoll(){this.it().then((t=>{if(!t.ok)return this.onError("fetch read error",t.status,t);t.text().then((t=>this.onData(t)))})).catch((t=>{this.onError("fetch read error",t)}))}doWrite(t,s){this.it(t).then((t=>{if(!t.ok)return this.onError("fetch write error",t.status,t);s()})).catch((t=>{this.onError("fetch write error",t)}))}it(t){var s;const i=void 0!==t,e=new Headers(this.opts.extraHeaders);return i&&e.set("content-type","text/plain;charset=UTF-8"),null===(s=this.socket.W)||void 0===s||s.appendCookies(e),fetch(this.uri(),{method:i?"POST":"GET",body:i?t:null,headers:e,credentials:this.opts.withCredentials?"include":"omit"}).then((t=>{var s;return null===(s=this.socket.W)||void 0===s||s.parseCookies(t.headers.getSetCookie()),t}))}}const tt="function"==typeof ArrayBuffer,st=t=>"function"==typeof ArrayBuffer.isView?ArrayBuffer.isView(t):t.buffer instanceof ArrayBuffer,it=Object.prototype.toString,et="function"==typeof Blob||"undefined"!=typeof Blob&&"[object BlobConstructor]"===it.call(Blob),nt="function"==typeof File||"undefined"!=typeof File&&"[object FileConstructor]"===it.call(File);function rt(t){return tt&&(t instanceof ArrayBuffer||st(t))||et&&t instanceof Blob||nt&&t instanceof File}function ot(t,s){if(!t||"object"!=typeof t)return!1;if(Array.isArray(t)){for(let s=0,i=t.length;s<i;s++)if(ot(t[s]))return!0;return!1}if(rt(t))return!0;if(t.toJSON&&"function"==typeof t.toJSON&&1===arguments.length)return ot(t.toJSON(),!0);for(const s in t)if(Object.prototype.hasOwnProperty.call(t,s)&&ot(t[s]))return!0;return!1}function ht(t){const s=[],i=t.data,e=t;return e.data=ct(i,s),e.attachments=s.length,{packet:e,buffers:s}}function ct(t,s,i){if(!t)return t;if(rt(t)){const i={_placeholder:!0,num:s.length};return s.push(t),i}if(Array.isArray(t)){const i=new Array(t.length);for(let e=0;e<t.length;e++)i[e]=ct(t[e],s);return i}if("object"==typeof t&&!(t instanceof Date)){if(t.toJSON&&"function"==typeof t.toJSON&&!i)return ct(t.toJSON(),s,!0);const e={};for(const i in t)Object.prototype.hasOwnProperty.call(t,i)&&(e[i]=ct(t[i],s));return e}return t}function at(t,s){return t.data=ut(t.data,s),delete t.attachments,t}function ut(t,s){if(!t)return t;if(t&&!0===t._placeholder){if("number"==typeof t.num&&t.num>=0&&t.num<s.length)return s[t.num];throw new Error("illegal attachments")}if(Array.isArray(t))for(let i=0;i<t.length;i++)t[i]=ut(t[i],s);else if("object"==typeof t)for(const i in t)Object.prototype.hasOwnProperty.call(t,i)&&(t[i]=ut(t[i],s));return t}const ft=["connect","connect_error","disconnect","disconnecting","newListener","removeListener"],lt=5;var dt;!function(t){t[t.CONNECT=0]="CONNECT",t[t.DISCONNECT=1]="DISCONNECT",t[t.EVENT=2]="EVENT",t[t.ACK=3]="ACK",t[t.CONNECT_ERROR=4]="CONNECT_ERROR",t[t.BINARY_EVENT=5]="BINARY_EVENT",t[t.BINARY_ACK=6]="BINARY_ACK"}(dt||(dt={}));class pt extends k{constructor(t){super(),this.opts=Object.assign({reviver:void 0,maxAttachments:10},"function"==typeof t?{reviver:t}:t)}add(t){let s;if("string"==typeof t){if(this.reconstructor)throw new Error("got plaintext data when reconstructing a packet");s=this.decodeString(t);const i=s.type===dt.BINARY_EVENT;i||s.type===dt.BINARY_ACK?(s.type=i?dt.EVENT:dt.ACK,this.reconstructor=new yt(s)):super.emitReserved("decoded",s)}else{if(!rt(t)&&!t.base64)throw new Error("Unknown type: "+t);if(!this.reconstructor)throw new Error("got binary data when not reconstructing a packet");s=this.reconstructor.takeBinaryData(t),s&&(this.reconstructor=null,super.emitReserved("decoded",s))}}decodeString(t){let s=0;const i={type:Number(t.charAt(0))};if(void 0===dt[i.type])throw new Error("unknown packet type "+i.type);if(i.type===dt.BINARY_EVENT||i.type===dt.BINARY_ACK){const e=s+1;for(;"-"!==t.charAt(++s)&&s!=t.length;);const n=t.substring(e,s);if(n!=Number(n)||"-"!==t.charAt(s))throw new Error("Illegal attachments");const r=Number(n);if(!bt(r)||r<1)throw new Error("Illegal attachments");if(r>this.opts.maxAttachments)throw new Error("too many attachments");i.attachments=r}if("/"===t.charAt(s+1)){const e=s+1;for(;++s;){if(","===t.charAt(s))break;if(s===t.length)break}i.nsp=t.substring(e,s)}else i.nsp="/";const e=t.charAt(s+1);if(""!==e&&Number(e)==e){const e=s+1;for(;++s;){const i=t.charAt(s);if(null==i||Number(i)!=i){--s;break}if(s===t.length)break}i.id=Number(t.substring(e,s+1))}if(t.charAt(++s)){const e=this.tryParse(t.substr(s));if(!pt.isPayloadValid(i.type,e))throw new Error("invalid payload");i.data=e}return i}tryParse(t){try{return JSON.parse(t,this.opts.reviver)}catch(t){return!1}}static isPayloadValid(t,s){switch(t){case dt.CONNECT:return wt(s);case dt.DISCONNECT:return void 0===s;case dt.CONNECT_ERROR:return"string"==typeof s||wt(s);case dt.EVENT:case dt.BINARY_EVENT:return Array.isArray(s)&&("number"==typeof s[0]||"string"==typeof s[0]&&-1===ft.indexOf(s[0]));case dt.ACK:case dt.BINARY_ACK:return Array.isArray(s)}}destroy(){this.reconstructor&&(this.reconstructor.finishedReconstruction(),this.reconstructor=null)}}class yt{constructor(t){this.packet=t,this.buffers=[],this.reconPack=t}takeBinaryData(t){if(this.buffers.push(t),this.buffers.length===this.reconPack.attachments){const t=at(this.reconPack,this.buffers);return this.finishedReconstruction(),t}return null}finishedReconstruction(){this.reconPack=null,this.buffers=[]}}const bt=Number.isInteger||function(t){return"number"==typeof t&&isFinite(t)&&Math.floor(t)===t};function wt(t){return"[object Object]"===Object.prototype.toString.call(t)}var gt=Object.freeze({__proto__:null,protocol:5,get PacketType(){return dt},Encoder:class{constructor(t){this.replacer=t}encode(t){return t.type!==dt.EVENT&&t.type!==dt.ACK||!ot(t)?[this.encodeAsString(t)]:this.encodeAsBinary({type:t.type===dt.EVENT?dt.BINARY_EVENT:dt.BINARY_ACK,nsp:t.nsp,data:t.data,id:t.id})}encodeAsString(t){let s=""+t.type;return t.type!==dt.BINARY_EVENT&&t.type!==dt.BINARY_ACK||(s+=t.attachments+"-"),t.nsp&&"/"!==t.nsp&&(s+=t.nsp+","),null!=t.id&&(s+=t.id),null!=t.data&&(s+=JSON.stringify(t.data,this.replacer)),s}encodeAsBinary(t){const s=ht(t),i=this.encodeAsString(s.packet),e=s.buffers;return e.unshift(i),e}},Decoder:pt,isPacketValid:function(t){return"string"==typeof t.nsp&&(void 0===(s=t.id)||bt(s))&&function(t,s){switch(t){case dt.CONNECT:return void 0===s||wt(s);case dt.DISCONNECT:return void 0===s;case dt.EVENT:return Array.isArray(s)&&("number"==typeof s[0]||"string"==typeof s[0]&&-1===ft.indexOf(s[0]));case dt.ACK:return Array.isArray(s);case dt.CONNECT_ERROR:return"string"==typeof s||wt(s);default:return!1}}(t.type,t.data);var s}});function vt(t,s,i){return t.on(s,i),function(){t.off(s,i)}}const mt=Object.freeze({connect:1,connect_error:1,disconnect:1,disconnecting:1,newListener:1,removeListener:1});class kt extends k{constructor(t,s,i){super(),this.connected=!1,this.recovered=!1,this.receiveBuffer=[],this.sendBuffer=[],this.et=[],this.nt=0,this.ids=0,this.acks={},this.flags={},this.io=t,this.nsp=s,i&&i.auth&&(this.auth=i.auth),this.p=Object.assign({},i),this.io.rt&&this.open()}get disconnected(){return!this.connected}subEvents(){if(this.subs)return;const t=this.io;this.subs=[vt(t,"open",this.onopen.bind(this)),vt(t,"packet",this.onpacket.bind(this)),vt(t,"error",this.onerror.bind(this)),vt(t,"close",this.onclose.bind(this))]}get active(){return!!this.subs}connect(){return this.connected||(this.subEvents(),this.io.ot||this.io.open(),"open"===this.io.ht&&this.onopen()),this}open(){return this.connect()}send(...t){return t.unshift("message"),this.emit.apply(this,t),this}emit(t,...s){var i,e,n;if(mt.hasOwnProperty(t))throw new Error('"'+t.toString()+'" is a reserved event name');if(s.unshift(t),this.p.retries&&!this.flags.fromQueue&&!this.flags.volatile)return this.ct(s),this;const r={type:dt.EVENT,data:s,options:{}};if(r.options.compress=!1!==this.flags.compress,"function"==typeof s[s.length-1]){const t=this.ids++,i=s.pop();this.ut(t,i),r.id=t}const o=null===(e=null===(i=this.io.engine)||void 0===i?void 0:i.transport)||void 0===e?void 0:e.writable,h=this.connected&&!(null===(n=this.io.engine)||void 0===n?void 0:n.st());return this.flags.volatile&&!o||(h?(this.notifyOutgoingListeners(r),this.packet(r)):this.sendBuffer.push(r)),this.flags={},this}ut(t,s){var i;const e=null!==(i=this.flags.timeout)&&void 0!==i?i:this.p.ackTimeout;if(void 0===e)return void(this.acks[t]=s);const n=this.io.setTimeoutFn((()=>{delete this.acks[t];for(let s=0;s<this.sendBuffer.length;s++)this.sendBuffer[s].id===t&&this.sendBuffer.splice(s,1);s.call(this,new Error("operation has timed out"))}),e),r=(...t)=>{this.io.clearTimeoutFn(n),s.apply(this,t)};r.withError=!0,this.acks[t]=r}emitWithAck(t,...s){return new Promise(((i,e)=>{const n=(t,s)=>t?e(t):i(s);n.withError=!0,s.push(n),this.emit(t,...s)}))}ct(t){let s;"function"==typeof t[t.length-1]&&(s=t.pop());const i={id:this.nt++,tryCount:0,pending:!1,args:t,flags:Object.assign({fromQueue:!0},this.flags)};t.push(((t,...e)=>{this.et[0];return null!==t?i.tryCount>this.p.retries&&(this.et.shift(),s&&s(t)):(this.et.shift(),s&&s(null,...e)),i.pending=!1,this.ft()})),this.et.push(i),this.ft()}ft(t=!1){if(!this.connected||0===this.et.length)return;const s=this.et[0];s.pending&&!t||(s.pending=!0,s.tryCount++,this.flags=s.flags,this.emit.apply(this,s.args))}packet(t){t.nsp=this.nsp,this.io.lt(t)}onopen(){"function"==typeof this.auth?this.auth((t=>{this.dt(t)})):this.dt(this.auth)}dt(t){this.packet({type:dt.CONNECT,data:this.yt?Object.assign({pid:this.yt,offset:this.bt},t):t})}onerror(t){this.connected||this.emitReserved("connect_error",t)}onclose(t,s){this.connected=!1,delete this.id,this.emitReserved("disconnect",t,s),this.wt()}wt(){Object.keys(this.acks).forEach((t=>{if(!this.sendBuffer.some((s=>String(s.id)===t))){const s=this.acks[t];delete this.acks[t],s.withError&&s.call(this,new Error("socket has been disconnected"))}}))}onpacket(t){if(t.nsp===this.nsp)switch(t.type){case dt.CONNECT:t.data&&t.data.sid?this.onconnect(t.data.sid,t.data.pid):this.emitReserved("connect_error",new Error("It seems you are trying to reach a Socket.IO server in v2.x with a v3.x client, but they are not compatible (more information here: https://socket.io/docs/v3/migrating-from-2-x-to-3-0/)"));break;case dt.EVENT:case dt.BINARY_EVENT:this.onevent(t);break;case dt.ACK:case dt.BINARY_ACK:this.onack(t);break;case dt.DISCONNECT:this.ondisconnect();break;case dt.CONNECT_ERROR:this.destroy();const s=new Error(t.data.message);s.data=t.data.data,this.emitReserved("connect_error",s)}}onevent(t){const s=t.data||[];null!=t.id&&s.push(this.ack(t.id)),this.connected?this.emitEvent(s):this.receiveBuffer.push(Object.freeze(s))}emitEvent(t){if(this.gt&&this.gt.length){const s=this.gt.slice();for(const i of s)i.apply(this,t)}super.emit.apply(this,t),this.yt&&t.length&&"string"==typeof t[t.length-1]&&(this.bt=t[t.length-1])}ack(t){const s=this;let i=!1;return function(...e){i||(i=!0,s.packet({type:dt.ACK,id:t,data:e}))}}onack(t){const s=this.acks[t.id];"function"==typeof s&&(delete this.acks[t.id],s.withError&&t.data.unshift(null),s.apply(this,t.data))}onconnect(t,s){this.id=t,this.recovered=s&&this.yt===s,this.yt=s,this.connected=!0,this.emitBuffered(),this.ft(!0),this.emitReserved("connect")}emitBuffered(){this.receiveBuffer.forEach((t=>this.emitEvent(t))),this.receiveBuffer=[],this.sendBuffer.forEach((t=>{this.notifyOutgoingListeners(t),this.packet(t)})),this.sendBuffer=[]}ondisconnect(){this.destroy(),this.onclose("io server disconnect")}destroy(){this.subs&&(this.subs.forEach((t=>t())),this.subs=void 0),this.io.vt(this)}disconnect(){return this.connected&&this.packet({type:dt.DISCONNECT}),this.destroy(),this.connected&&this.onclose("io client disconnect"),this}close(){return this.disconnect()}compress(t){return this.flags.compress=t,this}get volatile(){return this.flags.volatile=!0,this}timeout(t){return this.flags.timeout=t,this}onAny(t){return this.gt=this.gt||[],this.gt.push(t),this}prependAny(t){return this.gt=this.gt||[],this.gt.unshift(t),this}offAny(t){if(!this.gt)return this;if(t){const s=this.gt;for(let i=0;i<s.length;i++)if(t===s[i])return s.splice(i,1),this}else this.gt=[];return this}listenersAny(){return this.gt||[]}onAnyOutgoing(t){return this.kt=this.kt||[],this.kt.push(t),this}prependAnyOutgoing(t){return this.kt=this.kt||[],this.kt.unshift(t),this}offAnyOutgoing(t){if(!this.kt)return this;if(t){const s=this.kt;for(let i=0;i<s.length;i++)if(t===s[i])return s.splice(i,1),this}else this.kt=[];return this}listenersAnyOutgoing(){return this.kt||[]}notifyOutgoingListeners(t){if(this.kt&&this.kt.length){const s=this.kt.slice();for(const i of s)i.apply(this,t.data)}}}function At(t){t=t||{},this.ms=t.min||100,this.max=t.max||1e4,this.factor=t.factor||2,this.jitter=t.jitter>0&&t.jitter<=1?t.jitter:0,this.attempts=0}At.prototype.duration=function(){var t=this.ms*Math.pow(this.factor,this.attempts++);if(this.jitter){var s=Math.random(),i=Math.floor(s*this.jitter*t);t=1&Math.floor(10*s)?t+i:t-i}return 0|Math.min(t,this.max)},At.prototype.reset=function(){this.attempts=0},At.prototype.setMin=function(t){this.ms=t},At.prototype.setMax=function(t){this.max=t},At.prototype.setJitter=function(t){this.jitter=t};class Et extends k{constructor(t,s){var i;super(),this.nsps={},this.subs=[],t&&"object"==typeof t&&(s=t,t=void 0),(s=s||{}).path=s.path||"/socket.io",this.opts=s,B(this,s),this.reconnection(!1!==s.reconnection),this.reconnectionAttempts(s.reconnectionAttempts||1/0),this.reconnectionDelay(s.reconnectionDelay||1e3),this.reconnectionDelayMax(s.reconnectionDelayMax||5e3),this.randomizationFactor(null!==(i=s.randomizationFactor)&&void 0!==i?i:.5),this.backoff=new At({min:this.reconnectionDelay(),max:this.reconnectionDelayMax(),jitter:this.randomizationFactor()}),this.timeout(null==s.timeout?2e4:s.timeout),this.ht="closed",this.uri=t;const e=s.parser||gt;this.encoder=new e.Encoder,this.decoder=new e.Decoder,this.rt=!1!==s.autoConnect,this.rt&&this.open()}reconnection(t){return arguments.length?(this.At=!!t,t||(this.skipReconnect=!0),this):this.At}reconnectionAttempts(t){return void 0===t?this.Et:(this.Et=t,this)}reconnectionDelay(t){var s;return void 0===t?this.Ot:(this.Ot=t,null===(s=this.backoff)||void 0===s||s.setMin(t),this)}randomizationFactor(t){var s;return void 0===t?this._t:(this._t=t,null===(s=this.backoff)||void 0===s||s.setJitter(t),this)}reconnectionDelayMax(t){var s;return void 0===t?this.jt:(this.jt=t,null===(s=this.backoff)||void 0===s||s.setMax(t),this)}timeout(t){return arguments.length?(this.Bt=t,this):this.Bt}maybeReconnectOnOpen(){!this.ot&&this.At&&0===this.backoff.attempts&&this.reconnect()}open(t){if(~this.ht.indexOf("open"))return this;this.engine=new Y(this.uri,this.opts);const s=this.engine,i=this;this.ht="opening",this.skipReconnect=!1;const e=vt(s,"open",(function(){i.onopen(),t&&t()})),n=s=>{this.cleanup(),this.ht="closed",this.emitReserved("error",s),t?t(s):this.maybeReconnectOnOpen()},r=vt(s,"error",n);if(!1!==this.Bt){const t=this.Bt,i=this.setTimeoutFn((()=>{e(),n(new Error("timeout")),s.close()}),t);this.opts.autoUnref&&i.unref(),this.subs.push((()=>{this.clearTimeoutFn(i)}))}return this.subs.push(e),this.subs.push(r),this}connect(t){return this.open(t)}onopen(){this.cleanup(),this.ht="open",this.emitReserved("open");const t=this.engine;this.subs.push(vt(t,"ping",this.onping.bind(this)),vt(t,"data",this.ondata.bind(this)),vt(t,"error",this.onerror.bind(this)),vt(t,"close",this.onclose.bind(this)),vt(this.decoder,"decoded",this.ondecoded.bind(this)))}onping(){this.emitReserved("ping")}ondata(t){try{this.decoder.add(t)}catch(t){this.onclose("parse error",t)}}ondecoded(t){A((()=>{this.emitReserved("packet",t)}),this.setTimeoutFn)}onerror(t){this.emitReserved("error",t)}socket(t,s){let i=this.nsps[t];return i?this.rt&&!i.active&&i.connect():(i=new kt(this,t,s),this.nsps[t]=i),i}vt(t){const s=Object.keys(this.nsps);for(const t of s){if(this.nsps[t].active)return}this.xt()}lt(t){const s=this.encoder.encode(t);for(let i=0;i<s.length;i++)this.engine.write(s[i],t.options)}cleanup(){this.subs.forEach((t=>t())),this.subs.length=0,this.decoder.destroy()}xt(){this.skipReconnect=!0,this.ot=!1,this.onclose("forced close")}disconnect(){return this.xt()}onclose(t,s){var i;this.cleanup(),null===(i=this.engine)||void 0===i||i.close(),this.backoff.reset(),this.ht="closed",this.emitReserved("close",t,s),this.At&&!this.skipReconnect&&this.reconnect()}reconnect(){if(this.ot||this.skipReconnect)return this;const t=this;if(this.backoff.attempts>=this.Et)this.backoff.reset(),this.emitReserved("reconnect_failed"),this.ot=!1;else{const s=this.backoff.duration();this.ot=!0;const i=this.setTimeoutFn((()=>{t.skipReconnect||(this.emitReserved("reconnect_attempt",t.backoff.attempts),t.skipReconnect||t.open((s=>{s?(t.ot=!1,t.reconnect(),this.emitReserved("reconnect_error",s)):t.onreconnect()})))}),s);this.opts.autoUnref&&i.unref(),this.subs.push((()=>{this.clearTimeoutFn(i)}))}}onreconnect(){const t=this.backoff.attempts;this.ot=!1,this.backoff.reset(),this.emitReserved("reconnect",t)}}const Ot={};function _t(t,s){"object"==typeof t&&(s=t,t=void 0);const i=function(t,s="",i){let e=t;i=i||"undefined"!=typeof location&&location,null==t&&(t=i.protocol+"//"+i.host),"string"==typeof t&&("/"===t.charAt(0)&&(t="/"===t.charAt(1)?i.protocol+t:i.host+t),/^(https?|wss?):\/\//.test(t)||(t=void 0!==i?i.protocol+"//"+t:"https://"+t),e=Q(t)),e.port||(/^(http|ws)$/.test(e.protocol)?e.port="80":/^(http|ws)s$/.test(e.protocol)&&(e.port="443")),e.path=e.path||"/";const n=-1!==e.host.indexOf(":")?"["+e.host+"]":e.host;return e.id=e.protocol+"://"+n+":"+e.port+s,e.href=e.protocol+"://"+n+(i&&i.port===e.port?"":":"+e.port),e}(t,(s=s||{}).path||"/socket.io"),e=i.source,n=i.id,r=i.path,o=Ot[n]&&r in Ot[n].nsps;let h;return s.forceNew||s["force new connection"]||!1===s.multiplex||o?h=new Et(e,s):(Ot[n]||(Ot[n]=new Et(e,s)),h=Ot[n]),i.query&&!s.query&&(s.query=i.queryKey),h.socket(i.path,s)}Object.assign(_t,{Manager:Et,Socket:kt,io:_t,connect:_t});
return { Fetch: Z, Manager: Et, NodeWebSocket: q, NodeXHR: I, Socket: kt, WebSocket: q, WebTransport: H, XHR: I, connect: _t, default: _t, io: _t, protocol: lt };
})();
const m_socket_js = (() => {
const { Fetch, io } = m_______static_vendor_socket_io_client_4_8_4_socket_io_esm_min_js;
const HERE = "/embed/kaspad-taskd.js";
const PATIENCE_MS = 5000;
const LOCAL = "http://127.0.0.1:3080";

function usualBridge(file = import.meta.url) {
  const served = /^https?:/.test(file) && new URL(file).pathname.endsWith(HERE);
  if (served) return file.slice(0, file.lastIndexOf(HERE));
  return globalThis.location?.origin?.startsWith("http") ? globalThis.location.origin : LOCAL;
}

function openSocket(url, auth) {
  const at = new URL(url, globalThis.document?.baseURI ?? LOCAL);
  const only = at.protocol.startsWith("ws");
  return io(`${at.protocol}//${at.host}`, {
    path: `${at.pathname.replace(/\/+$/, "")}/socket.io/`,
    auth,
    transports: transports(only),
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    forceNew: true,
  });
}

async function shutOut(url) {
  const origin = globalThis.location?.origin;
  const at = new URL(url, globalThis.document?.baseURI ?? LOCAL);
  at.protocol = at.protocol.replace("ws", "http");
  if (!origin) return null;
  const health = `${at.href.replace(/\/+$/, "")}/healthz`;
  if (at.origin === origin) return (await isForeign(health)) ? origin : null;
  const asked = (mode) =>
    fetch(health, { mode, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) })
      .then(() => true, () => false);
  return !(await asked("cors")) && (await asked("no-cors")) ? origin : null;
}

async function isForeign(health) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(health, { method: "POST", cache: "no-store", credentials: "omit", signal }); // with its origin
    return answer.status === 403 && Boolean((await answer.json()).setting);
  } catch {
    return false;
  }
}

function transports(only) {
  if (typeof WebSocket === "undefined") return [Fetch]; // Node 20
  return only ? ["websocket"] : ["websocket", "polling"];
}
return { usualBridge, openSocket, shutOut };
})();
const m_client_js = (() => {
const { Emitter } = m_emitter_js;
const { failure, TaskdError } = m_errors_js;
const { Journal } = m_journal_js;
const { Mirror } = m_mirror_js;
const { openSocket, shutOut, usualBridge } = m_socket_js;
const DEADLINE_MS = 10_000;
const LOOK_MS = 65_000; // a look may take as long as its definition allows
const AGAIN_MS = 2_000;
const KNOCK_MS = 15_000; // after a refusal, which Socket.IO takes for the end
const MANY = "sync:progress:many"; // the same of many tasks, as a line of ours asks for it
const ENDED = ["complete", "error", "cancelled"];

const changeOf = (taskId) => `change ${taskId}`;

class TaskdClient {
  #emitter = new Emitter();
  #mirror;
  #journal;
  #socket;
  #own;
  #url;
  #token;
  #hello = null;
  #clock = null; // [daemon's ms since 1970, performance.now() of then]
  #connection;
  #readied;
  #missed = 0;
  #closed = false;
  #offs = [];
  #switches = new Map();

  constructor({ url, socket, token, after, journal } = {}) {
    this.#token = token ?? null;
    this.#connection = Object.freeze({ state: "connecting", since: new Date().toISOString() });
    this.ready = new Promise((resolve) => (this.#readied = resolve));
    this.#mirror = new Mirror((id) => this.get(id), (before, after_) => this.#changed(before, after_));
    this.#journal = new Journal(after ?? null, {
      getEvents: (page) => this.call("getEvents", page),
      take: (name, data) => this.#take(name, data),
      gap: (gap) => {
        this.#switches.clear(); // how they ended may lie in between
        this.#emitter.emit("gap", gap);
      },
    }, journal ?? null);
    this.#own = !socket;
    this.#url = url || usualBridge();
    this.#socket = socket ?? openSocket(this.#url, (give) => give(this.#auth()));
    this.#listen();
  }

  get tasks() {
    return this.#mirror.tasks;
  }

  get switches() {
    return this.#switches;
  }

  get connection() {
    return this.#connection;
  }

  get seq() {
    return this.#journal.seq;
  }

  get journal() {
    return this.#journal.name;
  }

  get canChange() {
    return this.#hello?.canChange ?? true;
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#own) this.#socket.disconnect().connect();
  }

  serverNow() {
    return this.#clock ? this.#clock[0] + performance.now() - this.#clock[1] : Date.now();
  }

  on(name, listener) {
    return this.#emitter.on(name, listener);
  }

  off(name, listener) {
    this.#emitter.off(name, listener);
  }

  close() {
    this.#closed = true;
    for (const off of this.#offs.splice(0)) off();
    this.#mirror.rest();
    if (this.#own) this.#socket.disconnect();
    this.#state("closed");
  }

  async call(method, params = {}, deadline = DEADLINE_MS) {
    const answer = await this.#ask("rpc", { method, params }, deadline);
    if (answer?.error) throw new TaskdError(answer.error);
    return answer?.result;
  }

  list({ type, service, status } = {}) {
    if (type) return this.call("getTasksByType", given({ type, status }));
    if (service) return this.call("getTasksByService", given({ service, status }));
    return this.call("getAllTasks", given({ status }));
  }

  get(taskId) {
    return this.call("getTask", { taskId });
  }

  register(definition) {
    return this.#act("registerTask", definition);
  }

  start(taskId) {
    return this.#act("startMonitoring", { taskId });
  }

  pause(taskId) {
    return this.#act("pauseTask", { taskId });
  }

  resume(taskId) {
    return this.#act("resumeTask", { taskId });
  }

  cancel(taskId) {
    return this.#act("cancelTask", { taskId });
  }

  retry(taskId) {
    return this.#act("retryTask", { taskId });
  }

  remove(taskId) {
    return this.#act("removeTask", { taskId });
  }

  check(taskId) {
    return this.#act("checkTaskStatus", { taskId }, LOOK_MS);
  }

  history(taskId, { from, to, points } = {}) {
    return this.call("getHistory", given({ taskId, from, to, points }));
  }

  record(taskId, { days } = {}) {
    return this.call("getRecord", given({ taskId, days }));
  }

  incidents(page = {}) {
    return this.call("getIncidents", given(page));
  }

  events(page = {}) {
    return this.call("getEvents", given(page));
  }

  strategy(taskId) {
    return this.call("getSyncStrategy", { taskId });
  }

  recordDecision(decision, context = {}) {
    return this.call("recordDecision", { decision, context });
  }

  decisions() {
    return this.call("getDecisions");
  }

  services() {
    return this.call("getServices");
  }

  switchService(service, to) {
    return this.call("switchService", { service, to });
  }

  refresh(taskId) {
    this.#mirror.refresh(taskId);
  }

  async wait(taskId, { until = "complete", signal } = {}) {
    const reached = typeof until === "function" ? until : (task) => task.status === until;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const offs = [];
      const end = (settle, value) => {
        for (const off of offs) off();
        settle(value);
      };
      const look = (task) => {
        if (!task) end(reject, failure("not-found", `there is no task ${taskId}`));
        else if (reached(task)) end(resolve, task);
        else if (ENDED.includes(task.status)) end(reject, failure("not-reached", endedAs(task), { task }));
      };
      const aborted = () => end(reject, signal.reason);
      signal?.addEventListener("abort", aborted);
      offs.push(() => signal?.removeEventListener("abort", aborted));
      offs.push(this.on("change", ({ id, after }) => id === taskId && look(after)));
      this.#known(taskId).then(look, (error) => end(reject, error));
    });
  }

  async #known(taskId) {
    await this.ready;
    return this.tasks.get(taskId) ?? this.get(taskId);
  }

  async #act(method, params, deadline) {
    const answer = await this.call(method, params, deadline);
    if (method === "removeTask") this.#mirror.put(params.taskId, null);
    else if (answer.task) this.#mirror.put(answer.task.id, answer.task);
    else this.#mirror.refresh(answer.taskId);
    return answer;
  }

  #auth() {
    const { seq, name } = this.#journal;
    const since = { since: seq ?? undefined, journal: name ?? undefined };
    return given({ token: this.#token ?? undefined, ...since, gather: true });
  }

  #listen() {
    const socket = this.#socket;
    this.#hear("connect", () => this.#greet());
    this.#hear("disconnect", () => this.#lost());
    this.#hear("connect_error", (error) => this.#refused(error));
    this.#hear("hello", (hello) => this.#greeted(hello));
    this.#hear("server:stopping", (why) => this.#state("stopping", { reason: why?.reason ?? null }));
    const told = (name, data) => this.#told(name, data);
    socket.onAny(told);
    this.#offs.push(() => socket.offAny(told));
    if (socket.connected) this.#greet();
  }

  #hear(name, listener) {
    this.#socket.on(name, listener);
    this.#offs.push(() => this.#socket.off(name, listener));
  }

  #greeted(hello) {
    this.#hello = hello;
    this.#clock = null;
    this.#isNow(hello.serverTime);
  }

  #isNow(time) {
    const at = Date.parse(time);
    if (!this.#clock || at > this.serverNow()) this.#clock = [at, performance.now()];
  }

  async #greet() {
    const line = this.#socket.id;
    const current = () => this.#socket.connected && this.#socket.id === line;
    this.#missed = 0;
    this.#journal.doubt();
    try {
      const { tasks, seq } = await this.#ask("tasks:list", {}, DEADLINE_MS);
      if (!current()) return;
      this.#mirror.replace(tasks);
      await this.#journal.reached(seq, await this.#whose());
      if (!current()) return;
    } catch {
      if (current()) setTimeout(() => current() && this.#greet(), AGAIN_MS);
      return;
    }
    const { host = null, version = null, canChange = true } = this.#hello ?? {};
    this.#state("live", { host, version, canChange, missed: this.#missed });
    this.#readied(this);
  }

  async #whose() {
    if (this.#hello) return this.#hello.journal ?? null;
    try {
      return (await this.call("getInfo")).journal ?? null;
    } catch (error) {
      if (error.reason === "no-answer") throw error;
      return null; // an older daemon, or one that does not say
    }
  }

  #lost() {
    this.#mirror.rest();
    if (this.#connection.state === "live") this.#state("lost");
  }

  #refused(error) {
    if (this.#socket.active !== false) return void this.#shutOut();
    const { state, since } = this.#connection;
    this.#state(state, { refused: error.message }, since);
    if (this.#own) setTimeout(() => this.#closed || this.#socket.connect(), KNOCK_MS);
  }

  async #shutOut() {
    const foreign = this.#own ? await shutOut(this.#url) : null;
    const { state, since, foreign: known = null } = this.#connection;
    if (foreign !== known && !["live", "closed"].includes(state)) this.#state(state, foreign ? { foreign } : {}, since);
  }

  #state(state, more = {}, since = new Date().toISOString()) {
    this.#connection = Object.freeze({ ...more, state, since });
    this.#emitter.emit("connection", this.#connection);
  }

  #told(name, data) {
    if (name === MANY) return void data.tasks.forEach((each) => this.#told("sync:progress", each));
    if (!Number.isInteger(data?.seq) || data.taskId === undefined) return;
    if (name !== "sync:progress") {
      this.#switched(name, data); // who comes late is told of one that runs, as state
      this.#journal.told(name, data);
      return;
    }
    this.#isNow(data.timestamp);
    this.#mirror.moved(data);
    this.#emitter.emit("event", { seq: data.seq, event: name, data });
  }

  #take(event, data) {
    this.#missed += 1;
    this.#emitter.emit("event", { seq: data.seq, event, data });
    this.#switched(event, data);
    if (event.startsWith("switch:")) this.#emitter.emit("switch", { event, ...data });
    if (event === "node:ready") this.#emitter.emit("node-ready", data);
    if (data.taskId !== null) this.#mirror.refresh(data.taskId); // somebody's switch has no task
  }

  #switched(event, data) {
    if (!event.startsWith("switch:") || this.#switches.get(data.service)?.seq >= data.seq) return;
    this.#switches.set(data.service, Object.freeze({ event, ...data }));
    this.#emitter.emit("switches");
  }

  #changed(before, after) {
    const change = { id: (after ?? before).id, before, after };
    this.#emitter.emit("change", change);
    this.#emitter.emit(changeOf(change.id), change);
  }

  #ask(name, payload, deadline) {
    return new Promise((resolve, reject) => {
      this.#socket.timeout(deadline).emit(name, payload, (late, answer) => {
        if (late) reject(failure("no-answer", `no answer to ${payload.method ?? name}`));
        else resolve(answer);
      });
    });
  }
}

function given(params) {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

function endedAs(task) {
  return task.error ?? `${task.id} is ${task.status}`;
}
return { changeOf, TaskdClient };
})();
const m_dom_js = (() => {
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  return fitted(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fitted(document.createElementNS(SVG, tag), attributes, children);
}

function fitted(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
  if (node.hidden !== !text) node.hidden = !text;
}

function mark(node, key, value) {
  if (value === null) node.removeAttribute(key);
  else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value);
}
return { make, draw, write, mark };
})();
const m_attention_js = (() => {
const TICK_MS = 1000; // ages grow
const attended = new Map(); // component -> what draws it again
const inView = new Set();
let eye = null, clock = null;

const isInView = (component) => inView.has(component);

function attend(component, again) {
  eye ??= new IntersectionObserver(look, { rootMargin: "50%" });
  if (!attended.size) begin();
  attended.set(component, again);
  eye.observe(component);
  return () => {
    eye.unobserve(component);
    attended.delete(component);
    inView.delete(component);
    if (!attended.size) end();
  };
}

function look(changes) {
  for (const { target, isIntersecting } of changes) {
    if (!isIntersecting) inView.delete(target);
    else if (attended.has(target)) {
      inView.add(target);
      attended.get(target)();
    }
  }
}

function begin() {
  clock = setInterval(wake, TICK_MS);
  document.addEventListener("visibilitychange", wake);
}

function end() {
  clearInterval(clock);
  document.removeEventListener("visibilitychange", wake);
}

function wake() {
  if (!document.hidden) for (const component of inView) attended.get(component)();
}
return { isInView, attend };
})();
const m_look_js = (() => {
const CSS = `
:host {
  --_font: var(--kaspad-font, system-ui, sans-serif);
  --_text: var(--kaspad-text, #16202A); --_muted: var(--kaspad-muted, #52606D);
  --_surface: var(--kaspad-surface, #FFFFFF); --_line: var(--kaspad-line, #D5DBE1);
  --_track: var(--kaspad-track, #E3E8ED); --_moving: var(--kaspad-moving, #2451C4);
  --_done: var(--kaspad-done, #117A68); --_attention: var(--kaspad-attention, #704500);
  --_failure: var(--kaspad-failure, #C4123F); --_quiet: var(--kaspad-quiet, #414B55);
  --_edge: #6F7B87; --_warm: #FFF1D6; --_red: #FDEBEC;
  --_radius: var(--kaspad-radius, 8px); --_space: var(--kaspad-space, 16px);
  display: block; font: 400 16px/24px var(--_font); color: var(--_text);
  font-variant-numeric: tabular-nums; text-align: start;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    --_text: var(--kaspad-text, light-dark(#16202A, #E8EDF2));
    --_muted: var(--kaspad-muted, light-dark(#52606D, #A3AFBB));
    --_surface: var(--kaspad-surface, light-dark(#FFFFFF, #171E25));
    --_line: var(--kaspad-line, light-dark(#D5DBE1, #2C3742));
    --_track: var(--kaspad-track, light-dark(#E3E8ED, #2C3742));
    --_moving: var(--kaspad-moving, light-dark(#2451C4, #6C9BF5));
    --_done: var(--kaspad-done, light-dark(#117A68, #A3F0C8));
    --_attention: var(--kaspad-attention, light-dark(#704500, #F7C532));
    --_failure: var(--kaspad-failure, light-dark(#C4123F, #F9586E));
    --_quiet: var(--kaspad-quiet, light-dark(#414B55, #A0A8B0));
    --_edge: light-dark(#6F7B87, #76848F);
    --_warm: light-dark(#FFF1D6, #33270F); --_red: light-dark(#FDEBEC, #3D1A20);
  }
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
p, ul, fieldset { margin: 0; padding: 0; border: 0; }
ul { list-style: none; }
.box { background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius);
  padding: var(--_space); }
.stack { display: flex; flex-direction: column; gap: calc(var(--_space) / 2); }
.head { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; }
.head svg { align-self: center; flex: none; }
.grow { flex: 1 1 auto; }
.name { font-weight: 650; font-size: 18px; overflow-wrap: anywhere; min-width: 0; }
.name a { color: var(--_moving); }
.muted, .facts { color: var(--_muted); font-size: 14px; line-height: 20px; }
.line { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; }
.line:not(:has(> :not([hidden]))) { display: none; }
.number { font-size: 20px; line-height: 28px; }
.facts .number { font-size: inherit; line-height: inherit; color: var(--_text); }
.moving { color: var(--_moving); } .done { color: var(--_done); }
.attention { color: var(--_attention); } .failure { color: var(--_failure); }
.quiet { color: var(--_quiet); }
.state { font-weight: 650; }
.banner { border-inline-start: 3px solid currentColor; padding: 6px 12px; border-radius: 4px;
  font-size: 14px; line-height: 20px; overflow-wrap: anywhere; }
.banner.attention { background: var(--_warm); } .banner.failure { background: var(--_red); }
.banner.quiet, .banner.done, .banner.moving { border: 0; padding: 0; color: var(--_text); }
code { font: 400 13px/20px ui-monospace, monospace; overflow-wrap: anywhere; }
.bar { display: block; width: 100%; height: 10px; overflow: visible; }
.bar .next { fill: var(--_track); stroke: var(--_edge); stroke-width: 0.5; }
.bar .past { fill: var(--_tone); stroke: var(--_edge); stroke-width: 0.5; }
.bar:not(.creep) .past { transition: width 200ms; }
.bar .half { fill: none; stroke: var(--_tone); stroke-width: 2.4; }
.bar.moving { --_tone: var(--_moving); } .bar.done { --_tone: var(--_done); }
.bar.attention, .bar.quiet { --_tone: var(--_edge); } .bar.failure { --_tone: var(--_failure); }
.strip { display: block; width: 100%; height: 28px; fill: var(--_moving); }
.strip { touch-action: pan-y; }
.strip .none { fill: var(--_edge); } .strip .cursor { fill: none; stroke: var(--_text); vector-effect: non-scaling-stroke; }
.past { display: block; width: 100%; height: 40px; touch-action: pan-y; overflow: visible;
  border-block-end: 1px solid var(--_line); }
.past .ok { fill: var(--_done); } .past .unknown { fill: var(--_edge); }
.past .behind, .past .stalled { fill: var(--_attention); } .past .unreachable { fill: var(--_failure); }
.past .cursor { fill: none; stroke: var(--_text); vector-effect: non-scaling-stroke; }
.value { min-height: 16px; margin-top: 4px; font-size: 12px; line-height: 16px; color: var(--_muted); }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
button { font: inherit; min-height: 36px; padding: 4px 12px; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--_edge); background: transparent; color: var(--_text); }
button:hover { border-color: var(--_text); }
button[aria-disabled="true"] { color: var(--_muted); cursor: default; }
button.main { background: var(--_moving); border-color: var(--_moving); color: var(--_surface); }
:focus-visible { outline: 2px solid var(--_moving); outline-offset: 2px; }
.option { display: flex; gap: 10px; padding: 8px; border-radius: 6px; cursor: pointer; }
.option:has(:checked) { box-shadow: inset 0 0 0 1px var(--_moving); }
.option input, .check input { accent-color: var(--_moving); flex: none; margin: 4px 0 0; width: 16px;
  height: 16px; }
.option b { font-weight: 650; display: block; }
.option .because { display: block; color: var(--_done); font-size: 14px; line-height: 20px; }
.check { display: flex; gap: 10px; cursor: pointer; }
.rows > * { padding-block: 8px; content-visibility: auto; contain-intrinsic-size: auto 3rem; }
.rows > * + * { border-block-start: 1px solid var(--_line); }
.row { display: grid; align-items: center; gap: 2px 12px; grid-template-columns: 20px 1fr auto; }
.row .name { font-size: 16px; }
.row .wide { grid-column: 2 / -1; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
dialog { font: inherit; color: var(--_text); background: var(--_surface); max-width: min(420px, 100vw - 32px);
  border: 1px solid var(--_edge); border-radius: var(--_radius); padding: 20px; }
dialog::backdrop { background: rgb(0 0 0 / 0.45); }
@media (prefers-reduced-motion: reduce) { .bar:not(.creep) .past { transition: none; } }
@media (forced-colors: active) {
  .bar .next { fill: Canvas; stroke: CanvasText; } .bar .past { fill: Highlight; }
  .bar .half { stroke: Highlight; } .strip { fill: CanvasText; }
  .past path { forced-color-adjust: none; fill: CanvasText; }
  .past .behind, .past .stalled, .past .unreachable { fill: Highlight; }
}
`;

let sheet = null;

function dress(root) {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  root.adoptedStyleSheets = [sheet];
}
return { dress };
})();
const m_element_js = (() => {
const { attend, isInView } = m_attention_js;
const { TaskdClient } = m_client_js;
const { make, write } = m_dom_js;
const { dress } = m_look_js;
const { usualBridge } = m_socket_js;
const { clock, say } = m_______static_words_js;
const DRAW_MS = 250; // at most four times a second
const REBINDING = ["task-id", "service"]; // they say whose changes are heard
const shared = new Map(); // bridge -> {client, users}

const PATIENCE_MS = 5000;

const Base = globalThis.HTMLElement ?? class {};

class TaskdElement extends Base {
  static observedAttributes = ["bridge"];
  #client = null;
  #bridge = null;
  #token;
  #offs = [];
  #timer = null;
  #drawn = 0;
  #born = 0;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open", delegatesFocus: false });
    dress(this.root);
  }

  get client() {
    return this.#client;
  }

  set client(client) {
    const live = this.isConnected;
    if (live) this.#detach();
    this.#client = client;
    if (live) this.#attach();
  }

  get token() {
    return this.#client?.token ?? this.#token ?? null;
  }

  set token(token) {
    this.#token = token;
    if (this.#client) this.#client.token = token;
  }

  get seen() {
    return isInView(this) && !document.hidden;
  }

  connectedCallback() {
    if (!this.hasAttribute("lang")) this.setAttribute("lang", "en"); // the words are, whatever the page is
    this.#born = performance.now();
    this.#attach();
  }

  disconnectedCallback() {
    this.#detach();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name === "bridge" ? this.#bridge !== null : REBINDING.includes(name)) {
      this.#detach();
      this.#attach();
    }
    this.later();
  }

  later() {
    if (this.#timer !== null || !this.isConnected || !this.seen) return;
    const wait = Math.max(0, this.#drawn + DRAW_MS - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  now() {
    const { state, since } = this.client.connection;
    return (state === "lost" ? Date.parse(since) : this.client.serverNow()) / 1000;
  }

  trouble() {
    const { state, since, refused, foreign } = this.client.connection;
    if (state === "live" || this.getRootNode().host instanceof TaskdElement) return null;
    if (foreign) return ["attention", say("wizard.foreign"), say("wizard.origins", { origin: foreign })];
    if (state === "lost") {
      const when = clock(Date.parse(since) / 1000);
      return ["attention", say("page.link.lost", { when }), ""];
    }
    if (state === "stopping") return ["attention", say("page.link.restarting"), ""];
    if (refused) return ["attention", refused, ""];
    if (performance.now() - this.#born < PATIENCE_MS) return ["quiet", say("wizard.asking"), ""];
    return ["attention", say("wizard.silent"), "sudo systemctl start kaspad-taskd"];
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #attach() {
    if (!this.#client) this.#share();
    if (this.#token !== undefined) this.#client.token = this.#token;
    const again = () => this.later();
    this.#offs = [
      this.#client.on("connection", again),
      attend(this, again),
      ...this.listen(this.#client),
    ];
    this.#draw();
  }

  #detach() {
    for (const off of this.#offs.splice(0)) off();
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#bridge !== null) release(this.#bridge);
    if (this.#bridge !== null) this.#client = this.#bridge = null;
  }

  #share() {
    this.#bridge = this.getAttribute("bridge") || usualBridge();
    this.#client = acquire(this.#bridge);
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#drawn = performance.now();
    if (this.isConnected) this.render();
  }
}

function acquire(bridge) {
  const known = shared.get(bridge) ?? { client: new TaskdClient({ url: bridge }), users: 0 };
  known.users += 1;
  shared.set(bridge, known);
  return known.client;
}

function release(bridge) {
  const known = shared.get(bridge);
  known.users -= 1;
  setTimeout(() => {
    if (known.users > 0 || shared.get(bridge) !== known) return;
    shared.delete(bridge);
    known.client.close();
  }, 1000);
}

function linkPlace() {
  const [says, cure] = [make("span"), make("code")];
  const node = make("p", { class: "banner quiet", part: "banner", role: "status" }, says, " ", cure);
  node.show = (trouble) => {
    const [tone, text, command] = trouble ?? ["quiet", "", ""];
    node.className = `banner ${tone}`;
    write(says, text);
    write(cure, command);
    node.hidden = !text;
  };
  return node;
}

function levelOf(element) {
  const asked = Number(element.getAttribute("heading-level"));
  return asked >= 2 && asked <= 6 ? asked : 3;
}
return { PATIENCE_MS, Base, TaskdElement, linkPlace, levelOf };
})();
const m_speech_js = (() => {
const { make } = m_dom_js;
const SPEAK_MS = 10_000; // a polite region speaks at most six times a minute

class Speech {
  node = make("div", { class: "spoken", role: "status" });
  #about = null;
  #at = -SPEAK_MS;

  tell(about, text = about) {
    const now = performance.now();
    if (about === this.#about || now - this.#at < SPEAK_MS) return;
    if (this.#about !== null) this.node.textContent = text;
    this.#about = about;
    this.#at = now;
  }
}
return { Speech };
})();
const m_fleet_element_js = (() => {
const { make, mark } = m_dom_js;
const { Base } = m_element_js;
const { dress } = m_look_js;
const { Speech } = m_speech_js;
const TICK_MS = 1000;

class KaspadFleet extends Base {
  #list = make("ul", { class: "rows" });
  #speech = new Speech();
  #hosts = new Map(); // address -> <kaspad-host>, in the order of the links
  #token = null;
  #eye = null;
  #timer = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    dress(root);
    root.append(this.#list, this.#speech.node);
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token;
    for (const [address, host] of this.#hosts) this.#unlock(host, address);
  }

  connectedCallback() {
    this.#eye = new MutationObserver(() => this.#fill());
    this.#eye.observe(this, { attributes: true, characterData: true, childList: true, subtree: true });
    this.#timer = setInterval(() => this.#order(), TICK_MS);
    this.#fill();
  }

  disconnectedCallback() {
    this.#eye.disconnect();
    clearInterval(this.#timer);
  }

  #fill() {
    const links = [...this.querySelectorAll("a[href]")].filter(({ protocol }) => /^http/.test(protocol));
    const wanted = new Map(links.map((link) => [link.href, link.textContent.trim()]));
    for (const [address, host] of this.#hosts) {
      if (wanted.has(address)) continue;
      host.parentNode.remove();
      this.#hosts.delete(address);
    }
    for (const [address, name] of wanted) {
      const host = this.#hosts.get(address) ?? this.#host(address);
      mark(host, "name", name);
    }
    this.#order();
  }

  #host(address) {
    const host = make("kaspad-host", { bridge: address, exportparts: "name, state, note, banner" });
    this.#unlock(host, address);
    this.#hosts.set(address, host);
    this.#list.append(make("li", {}, host));
    return host;
  }

  #unlock(host, address) {
    const token = typeof this.#token === "function" ? this.#token(address) : this.#token;
    if (token) host.token = token;
  }

  #order() {
    const found = [...this.#hosts.values()].map((host) => [host, host.alarm]);
    const [ill, well] = [found.filter(([, alarm]) => alarm), found.filter(([, alarm]) => !alarm)];
    this.#speech.tell(ill.map(([host]) => host.name).join(), ill.map(([, alarm]) => alarm).join(" "));
    if (this.#list.matches(":hover, :focus-within")) return;
    [...ill, ...well].forEach(([{ parentNode: row }], place) => {
      const there = this.#list.children[place];
      if (row !== there) this.#list.insertBefore(row, there ?? null);
    });
  }
}
return { KaspadFleet };
})();
const m_icons_js = (() => {
const { draw } = m_dom_js;
const PATHS = {
  dashed: ["M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12", { "stroke-dasharray": "2.6 2.1" }],
  ring: ["M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12"],
  arrow: ["M2 8h8M7 4.5L10.5 8L7 11.5M14 3v10"],
  arrows: ["M1.5 5.5h12M10.5 2.5l3 3l-3 3M14.5 11h-12M5.5 8l-3 3l3 3"],
  tick: ["M2.5 8.5l3.5 3.5l7.5-8"],
  hourglass: ["M4 2h8M4 14h8M5 2v2.5L8 8L11 4.5V2M5 14v-2.5L8 8L11 11.5V14"],
  plug: ["M2 14l3-3M5 7l4 4l-1 1a2.8 2.8 0 1 1-4-4zM14 2l-3 3M7 5l4 4l1-1a2.8 2.8 0 1 0-4-4z"],
  bars: ["M5.5 3v10M10.5 3v10"],
  octagon: ["M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM6 6l4 4M10 6l-4 4"],
  barred: ["M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12M4 12l8-8"],
};

function iconPlace() {
  return draw("svg", {
    width: 16, height: 16, viewBox: "0 0 16 16", fill: "none", stroke: "currentColor",
    "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round",
    "aria-hidden": "true",
  });
}

function icon(place, name, tone) {
  if (place.dataset.icon !== name) {
    const [d, more] = PATHS[name];
    place.replaceChildren(draw("path", { d, ...more }));
    place.dataset.icon = name;
  }
  if (place.getAttribute("class") !== tone) place.setAttribute("class", tone);
}
return { iconPlace, icon };
})();
const m_tasks_js = (() => {
function live(task) {
  return ["pending", "in-progress", "paused"].includes(task.status);
}

function waiting(task) {
  return task.status === "pending" || task.status === "paused";
}
return { live, waiting };
})();
const m_host_element_js = (() => {
const { make, mark, write } = m_dom_js;
const { PATIENCE_MS, TaskdElement } = m_element_js;
const { icon, iconPlace } = m_icons_js;
const { waiting } = m_tasks_js;
const { kept, overview, troubled, view } = m_______static_view_js;
const { say, secondsOf } = m_______static_words_js;
const COUNTS = {
  attention: troubled,
  running: (task) => task.status === "in-progress" && !troubled(task),
  waiting,
  kept: (task) => kept(task) && !troubled(task),
  ended: (task) => ["complete", "cancelled"].includes(task.status) && !kept(task),
};
const HEARD = ["lastUpdate", "lastChecked", "completedAt", "erroredAt", "cancelledAt", "createdAt"];

class KaspadHost extends TaskdElement {
  static observedAttributes = [...TaskdElement.observedAttributes, "name"];
  #parts = null;
  #itself = ""; // as the daemon calls its host; remembered when the line is lost

  get name() {
    this.#itself = this.client?.connection.host ?? this.#itself;
    return this.getAttribute("name") || this.#itself || this.getAttribute("bridge") || "";
  }

  get silence() {
    const { state, since, refused, foreign } = this.client.connection;
    if (foreign) return `${say("wizard.foreign")} ${say("wizard.origins", { origin: foreign })}`;
    const ms = Math.max(1000, Date.now() - Date.parse(since));
    if (state === "live" || (state === "connecting" && ms < PATIENCE_MS && !refused)) return "";
    if (refused) return refused;
    const known = state !== "connecting";
    return say(`wizard.host.${known ? "silent" : "never"}`, { name: this.name, since: Math.trunc(ms / 1000) });
  }

  get alarm() {
    if (!this.client) return "";
    const tasks = [...this.client.tasks.values()];
    return this.silence || (tasks.some(troubled) ? overview(tasks, this.now(), "").headline : "");
  }

  listen(client) {
    const lineChanged = ({ state, since }) => this.tell("connection", { state, since });
    return [client.on("change", () => this.later()), client.on("connection", lineChanged)];
  }

  render() {
    this.#parts ??= this.#build();
    const { link, says, more, banner, counts, at } = this.#parts;
    const now = this.now(), tasks = [...this.client.tasks.values()], silence = this.silence;
    const heard = this.client.seq !== null;
    const verdict = overview(tasks, now, "");
    const shown = this.client.tasks.get(verdict.troubled ?? verdict.first);
    const { icon: name, tone } = shown ? view(shown, now) : { icon: "ring", tone: "quiet" };
    icon(at, silence ? "plug" : name, silence ? "quiet" : tone);
    write(link, this.name);
    mark(link, "href", this.getAttribute("bridge")?.replace(/^ws/, "http") ?? null);
    write(says, heard ? verdict.headline : silence ? "" : say("wizard.asking"));
    write(more, verdict.attention);
    write(banner, silence);
    write(counts, heard ? countsOf(tasks, silence ? null : now) : "");
    mark(this.#parts.row, "class", silence ? "row quiet" : "row");
  }

  #build() {
    const at = iconPlace();
    const link = make("a", { part: "name" });
    const counts = make("span", { class: "facts" });
    const head = make("div", { class: "head wide" }, make("span", { class: "name grow" }, link), counts);
    const [says, more, banner] = ["state", "note", "banner"].map((part) => {
      return make("p", { class: "wide", part });
    });
    more.classList.add("attention");
    banner.classList.add("banner", "attention");
    const row = make("div", { class: "row" }, at, head, says, more, banner);
    this.root.replaceChildren(row);
    return { row, at, link, says, more, banner, counts };
  }
}

function countsOf(tasks, now) {
  const parts = Object.entries(COUNTS).map(([key, fits]) => [key, tasks.filter(fits).length]);
  const told = parts.filter(([, n]) => n).map(([key, n]) => say(`wizard.host.${key}`, { n }));
  const times = tasks.flatMap((task) => HEARD.map((field) => secondsOf(task[field]) ?? 0));
  const ago = Math.trunc(now - Math.max(0, ...times));
  if (now !== null && tasks.length) told.push(say("wizard.host.news", { ago: Math.max(0, ago) }));
  return told.join(", ");
}
return { KaspadHost };
})();
const m_resume_element_js = (() => {
const { make, write } = m_dom_js;
const { levelOf, linkPlace, TaskdElement } = m_element_js;
const { live } = m_tasks_js;
const { say } = m_______static_words_js;
class KaspadResume extends TaskdElement {
  static observedAttributes = [...TaskdElement.observedAttributes, "task-ids", "heading-level"];
  #parts = null;
  #shown = "";
  #size = null;

  connectedCallback() {
    super.connectedCallback();
    this.#size = new ResizeObserver(([{ contentRect }]) => {
      if (!contentRect.height) return;
      this.#size.disconnect();
      this.#parts.resume.focus();
    });
    this.#size.observe(this);
  }

  disconnectedCallback() {
    this.#size.disconnect();
    super.disconnectedCallback();
  }

  listen(client) {
    return [client.on("change", () => this.later())];
  }

  render() {
    this.#parts ??= this.#build();
    this.#parts.link.show(this.trouble());
    const ids = this.#ids();
    this.#rows(ids);
    this.#parts.tasks.hidden = !ids.length;
    this.#parts.also.hidden = !ids.length;
    write(this.#parts.alsoText, say("wizard.also-stop", { n: ids.length }));
  }

  #ids() {
    const asked = this.getAttribute("task-ids")?.split(/[\s,]+/).filter(Boolean);
    const tasks = [...this.client.tasks.values()].filter(live).map((task) => task.id);
    return asked ? tasks.filter((id) => asked.includes(id)) : tasks;
  }

  #rows(ids) {
    if (ids.join(" ") === this.#shown) return;
    this.#shown = ids.join(" ");
    this.#parts.list.replaceChildren(...ids.map((id) => {
      const task = make("kaspad-task", { "task-id": id, variant: "row" });
      task.client = this.client;
      return make("li", {}, task);
    }));
  }

  #build() {
    const heading = { class: "name", role: "heading", "aria-level": levelOf(this), id: "title" };
    const resume = make("button", { type: "button", class: "main", part: "button" }, say("wizard.resume"));
    const over = make("button", { type: "button", part: "button", "aria-describedby": "means" },
      say("wizard.start-over"));
    const box = make("input", { type: "checkbox" });
    const alsoText = make("span");
    const also = make("label", { class: "check", hidden: "" }, box, alsoText);
    const list = make("ul", { class: "rows" });
    const tasks = make("div", { hidden: "" }, make("p", { class: "muted" }, say("wizard.go-on")), list);
    const link = linkPlace();
    resume.addEventListener("click", () => this.tell("resume", {}));
    over.addEventListener("click", () => {
      this.tell("start-over", { alsoStop: box.checked ? this.#ids() : [] });
    });
    this.root.replaceChildren(make("section", { class: "box stack", "aria-labelledby": "title" },
      make("div", heading, make("slot", { name: "title" }, say("wizard.in-progress"))),
      make("slot", { name: "facts" }), link, tasks,
      make("div", { class: "buttons" }, resume, over),
      make("p", { class: "muted", id: "means" }, say("wizard.means")), also));
    return { resume, also, alsoText, list, tasks, link };
  }
}
return { KaspadResume };
})();
const m_strategy_element_js = (() => {
const { make, write } = m_dom_js;
const { linkPlace, TaskdElement } = m_element_js;
const { view } = m_______static_view_js;
const { say } = m_______static_words_js;
const CHOICES = ["wait", "background", "skip"];
const ASK_MS = 15_000; // the recommendation is renewed while nobody has touched it

class KaspadStrategy extends TaskdElement {
  static observedAttributes = [...TaskdElement.observedAttributes, "task-id"];
  #parts = null;
  #advice = null;
  #askedAt = -ASK_MS;
  #touched = false;
  #busy = false;

  listen(client) {
    return [client.on("change", () => this.later())];
  }

  attributeChangedCallback(attribute, before, after) {
    if (attribute === "task-id") [this.#advice, this.#askedAt] = [null, -ASK_MS];
    super.attributeChangedCallback(attribute, before, after);
  }

  render() {
    this.#parts ??= this.#build();
    this.#parts.link.show(this.trouble());
    const task = this.client.tasks.get(this.getAttribute("task-id"));
    const known = this.client.connection.state !== "connecting";
    write(this.#parts.empty, known && !task ? say("wizard.no-task") : "");
    write(this.#parts.legend, task ? say("wizard.strategy", { name: view(task, 0).name }) : "");
    this.#parts.form.hidden = !task || !this.#advice;
    if (task) this.#ask();
  }

  async #ask() {
    const now = performance.now();
    const due = !this.#advice || (!this.#touched && now - this.#askedAt > ASK_MS);
    if (!due || now - this.#askedAt < 1000 || this.client.connection.state !== "live") return;
    this.#askedAt = now;
    try {
      this.#advise(await this.client.strategy(this.getAttribute("task-id")));
    } catch {
      this.later(); // asked again a second later
    }
  }

  #advise(advice) {
    if (this.#touched) return;
    this.#advice = advice;
    for (const choice of CHOICES) {
      const { input, because } = this.#parts.options[choice];
      const best = choice === advice.recommended;
      input.checked = best;
      const eta = advice.estimatedSeconds;
      write(because, best ? (advice.note ?? say(`wizard.because.${choice}`, { eta })) : "");
    }
    this.later();
  }

  #build() {
    const options = Object.fromEntries(CHOICES.map((choice) => [choice, this.#option(choice)]));
    const legend = make("legend", { class: "name" });
    const button = make("button", { type: "submit", class: "main", part: "button" }, say("wizard.continue"));
    const answer = make("p", { role: "status", hidden: "" });
    const choices = CHOICES.map((choice) => options[choice].node);
    const form = make("form", { class: "stack", hidden: "" },
      make("fieldset", { class: "stack" }, legend, ...choices),
      make("div", { class: "buttons" }, button), answer);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#choose();
    });
    form.addEventListener("change", () => (this.#touched = true));
    const parts = { options, legend, button, answer, form, link: linkPlace(), empty: make("p", { hidden: "" }) };
    this.root.replaceChildren(make("div", { class: "stack" }, parts.link, parts.empty, form));
    return parts;
  }

  #option(choice) {
    const input = make("input", { type: "radio", name: "choice", value: choice });
    const because = make("span", { class: "because", hidden: "" });
    const text = make("span", {}, make("slot", { name: `option-${choice}` },
      make("b", {}, say(`strategy.${choice}.label`)),
      make("span", {}, say(`strategy.${choice}.sentence`)), " "), because);
    return { input, because, node: make("label", { class: "option" }, input, text) };
  }

  async #choose() {
    const chosen = CHOICES.find((choice) => this.#parts.options[choice].input.checked);
    if (!chosen || this.#busy) return;
    this.#busy = true;
    const { recommended, estimatedTime, estimatedSeconds } = this.#advice;
    const taskId = this.getAttribute("task-id");
    const context = { taskId, choice: chosen, recommended, estimatedTime, estimatedSeconds };
    const record = await this.client.recordDecision("sync-strategy", context).catch(() => null);
    this.#busy = false;
    write(this.#parts.answer, say("wizard.chosen", { label: say(`strategy.${chosen}.label`) }));
    const decisionId = record?.decision.id ?? null;
    this.tell("strategy-chosen", { choice: chosen, recommended, decisionId });
  }
}
return { KaspadStrategy };
})();
const m_bar_js = (() => {
const { draw, mark } = m_dom_js;
const GAP = 0.4; // percent of the bar's width
const HATCH = 6; // pixels; a hatch moves on by a quarter of it with each reading that rose
const CREEP = 1; // percent of the bar: what moves less is put there, an animation would not be seen
const CLASSES = { done: "past", now: "past", next: "next", hatch: null };

class Bar {
  #hatch;
  #body = draw("g");
  #kinds = "";
  #steps = 0;
  #done = null;

  constructor() {
    this.#hatch = draw("pattern", {
      id: "hatch", width: HATCH, height: HATCH, patternUnits: "userSpaceOnUse",
    }, draw("path", { d: "M-1 7L7 -1M-1 1L1 -1M5 7L7 5", class: "half" }));
    this.node = draw("svg", {
      class: "bar quiet", part: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100,
    }, draw("defs", {}, this.#hatch), this.#body);
  }

  show(segments, { tone = "quiet", label, value = null, text = null, done = null } = {}) {
    mark(this.node, "aria-label", label);
    mark(this.node, "aria-valuetext", text);
    mark(this.node, "aria-valuenow", value);
    const shown = (segments.length ? segments : [[0, 100, "next"]]).filter(([, width]) => width > 0);
    mark(this.node, "class", `bar ${tone}${this.#leaps(shown) ? "" : " creep"}`);
    this.#draw(shown);
    if (this.#done !== null && done > this.#done) this.#step();
    this.#done = done;
  }

  #leaps(segments) {
    const rects = this.#body.children;
    return segments.some(([, width], at) => (
      Math.abs(width - Number.parseFloat(rects[at]?.getAttribute("width") ?? 0)) >= CREEP
    ));
  }

  #draw(segments) {
    const kinds = segments.map(([, , kind]) => kind).join(" ");
    if (kinds !== this.#kinds) this.#body.replaceChildren(...segments.map(segment));
    this.#kinds = kinds;
    segments.forEach(([x, width, kind], at) => {
      const last = at === segments.length - 1;
      const gap = last || kind === "now" ? 0 : GAP;
      mark(this.#body.children[at], "x", `${x}%`);
      mark(this.#body.children[at], "width", `${Math.max(0.1, width - gap).toFixed(2)}%`);
    });
  }

  #step() {
    this.#steps = (this.#steps + 1) % 4;
    mark(this.#hatch, "patternTransform", `translate(${this.#steps * (HATCH / 4)} 0)`);
  }
}

function segment([, , kind]) {
  const fill = kind === "hatch" ? "url(#hatch)" : null;
  return draw("rect", { y: 0, height: 10, rx: 2, class: CLASSES[kind], fill });
}

function strip(points, label) {
  const most = Math.max(...points.map((point) => point.rate ?? 0)) || 1;
  const marks = points.flatMap((point, at) => {
    if (point.health === null) return [];
    const tall = point.rate > 0 ? Math.max(1.5, (point.rate / most) * 26) : 0;
    const place = { x: at * 4, width: 3 };
    return tall
      ? draw("rect", { ...place, y: 28 - tall, height: tall })
      : draw("rect", { ...place, y: 26.6, height: 1, class: "none" });
  });
  const width = Math.max(60, points.length) * 4;
  return draw("svg", {
    class: "strip", part: "strip", role: "img", "aria-label": label,
    viewBox: `0 0 ${width} 28`, preserveAspectRatio: "none",
  }, ...marks);
}
return { Bar, strip };
})();
const m_buttons_js = (() => {
const { make } = m_dom_js;
const { say } = m_______static_words_js;
const { kept, view } = m_______static_view_js;
const OFFERS = {
  none: [],
  basic: ["pause", "resume"],
  all: ["check", "start", "resume", "pause", "retry", "cancel", "remove"],
};

function offers(task, wanted, canChange) {
  const allowed = new Set(task?.actions ?? []);
  const watched = Boolean(task) && kept(task);
  if ((watched || task?.status === "paused") && allowed.delete("start")) allowed.add("resume");
  if (watched) allowed.delete("retry"); // it is watched; all of it anew is what programs may ask for
  const list = OFFERS[wanted] ?? OFFERS.none;
  return list.filter((action) => allowed.has(action) && (canChange || action === "check"));
}

function labelOf(action, task) {
  const again = action === "retry" && task.status === "complete";
  return say(`page.action.${again ? "again" : action}`);
}

function askToStop(root, task) {
  const node = task.type === "node-sync";
  const keep = make("button", { value: "keep", class: "main", autofocus: "" }, say("page.stop.keep"));
  const stop = make("button", { value: "stop" }, say("page.stop.stop"));
  const title = make("p", { class: "name", id: "stop-title" }, say("page.stop.title", { name: view(task, 0).name }));
  const text = make("p", {}, say(`page.stop.${node ? "text-node" : "text"}`));
  const form = make("form", { method: "dialog", class: "stack" }, title, text,
    make("div", { class: "buttons" }, keep, stop));
  const dialog = make("dialog", { "aria-labelledby": "stop-title" }, form);
  root.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "stop");
      dialog.remove();
    });
  });
}
return { offers, labelOf, askToStop };
})();
const m_past_js = (() => {
const { percent, say, secondsOf } = m_______static_words_js;
const [WIDTH, HEIGHT] = [720, 40];
const NOTCH = 5; // of a trouble, however short
const DASH = 2; // of what nobody saw
const MINUTE = 60, DAY = 86_400;
const STACK = ["ok", "unknown", "behind", "stalled", "unreachable"]; // from foot to head
const WIDTHS = { ok: 0.75, unknown: 0.25, behind: 0.75, stalled: 0.5, unreachable: 0.75 };
const LEAST = { ok: 0, unknown: DASH, behind: NOTCH, stalled: NOTCH, unreachable: NOTCH };
const TROUBLES = ["behind", "stalled", "unreachable"];

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

function heights(seconds) {
  const total = sum(STACK.map((state) => seconds[state])) || 1;
  const found = new Map();
  for (const state of STACK) {
    const spent = seconds[state];
    if (!spent || (state === "unknown" && spent < Math.min(MINUTE, total))) continue;
    found.set(state, Math.max(LEAST[state], Math.floor((HEIGHT * spent) / total + 0.5)));
  }
  const spare = (state) => found.get(state) - LEAST[state];
  for (let room; found.size && (room = HEIGHT - sum([...found.values()]));) {
    const highest = [...found.keys()].reduce((one, two) => (spare(two) > spare(one) ? two : one));
    found.set(highest, found.get(highest) + Math.sign(room));
  }
  return found;
}

const placesOf = (record) => (record.days === 1 ? 24 : record.days);

function columns(record) {
  const places = placesOf(record);
  const wide = WIDTH / places, first = places - record.series.length;
  const paths = Object.fromEntries(STACK.map((state) => [state, ""]));
  record.series.forEach(({ seconds }, at) => {
    let foot = HEIGHT;
    for (const [state, tall] of heights(seconds)) {
      const width = wide * WIDTHS[state];
      const left = (first + at) * wide + (wide * WIDTHS.ok - width) / 2;
      paths[state] += `M${left.toFixed(2)} ${foot}v-${tall}h${width.toFixed(2)}v${tall}z`;
      foot -= tall;
    }
  });
  return Object.entries(paths).filter(([, path]) => path);
}

function line(record) {
  const { seconds, incidents } = record;
  const known = sum(Object.values(seconds)) - seconds.unknown;
  const span = spanOf(record);
  if (!known) return `${say("record.unseen", { span })}.`;
  const share = percent((100 * seconds.ok) / known, "exact");
  const many = { n: incidents.count, longest: incidents.longest };
  const told = incidents.count ? say("record.incidents", many) : say("record.none");
  const { unknown } = seconds;
  const rest = unknown >= MINUTE ? `; ${say("record.unknown", { unknown })}` : "";
  return `${say("record.share", { percent: share, span })}, ${told}${rest}.`;
}

function spanOf({ from, to, since, days }) {
  const [first, last] = [secondsOf(from), secondsOf(to)];
  return from !== since || first === null || last === null ? days * DAY : last - first;
}

function part(seconds) {
  const { unknown } = seconds;
  const known = sum(Object.values(seconds)) - unknown;
  if (!known) return say("record.part.unseen");
  const told = [say("record.part.ok", { percent: percent((100 * seconds.ok) / known, "exact") })];
  for (const state of TROUBLES) {
    if (seconds[state]) told.push(say(`record.part.${state}`, { span: seconds[state] }));
  }
  if (unknown >= MINUTE) told.push(say("record.part.unknown", { span: unknown }));
  return told.join(", ");
}
return { heights, placesOf, columns, line, part };
})();
const m_______static_read_js = (() => {
const { say, when } = m_______static_words_js;
const SVG = "http://www.w3.org/2000/svg";
let kept = null; // the time that was read last: a drawing that is made anew goes on there

function minute({ at, rate, health }, unit, now) {
  const key = rate > 0 ? "rate" : { null: "nobody", unreachable: "silent" }[health] ?? "still";
  return say(`page.minute.${key}`, { when: when(at, now), rate, unit });
}

function readable(svg, points, text, show) {
  const last = points.length - 1;
  if (last < 0 || svg.hasAttribute("tabindex")) return;
  const set = (name, value) => svg.setAttribute(name, value);
  const [, , width, height] = svg.getAttribute("viewBox").split(" ");
  const mark = svg.appendChild(document.createElementNS(SVG, "path"));
  mark.setAttribute("class", "cursor");
  let place = last;

  const value = () => {
    set("aria-valuenow", place);
    set("aria-valuetext", text(points[place]));
  };
  const go = (to) => {
    place = Math.min(last, Math.max(0, to));
    kept = points[place].at;
    mark.setAttribute("d", `M${points[place].x * width} 0v${height}`);
    value();
    show(text(points[place]));
  };
  const nearest = (distance) => points.reduce(
    (best, each, at) => (distance(each) < distance(points[best]) ? at : best), 0,
  );
  const leave = () => {
    if (svg.matches(":focus-visible")) return;
    mark.setAttribute("d", "");
    show("");
  };
  const point = ({ clientX }) => {
    const box = svg.getBoundingClientRect(), x = (clientX - box.left) / box.width;
    go(nearest((each) => Math.abs(each.x - x)));
  };

  set("role", "slider");
  set("tabindex", 0);
  set("aria-valuemin", 0);
  set("aria-valuemax", last);
  value();
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || leave());
  svg.addEventListener("blur", leave);
  svg.addEventListener("focus", () => {
    const from = points[0].at <= kept ? nearest((each) => Math.abs(each.at - kept)) : last;
    if (svg.matches(":focus-visible")) go(from);
  });
  svg.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -last, End: last };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(place + steps[event.key]);
  });
}
return { minute, readable };
})();
const m_record_js = (() => {
const { draw, make, write } = m_dom_js;
const { columns, line, part, placesOf } = m_past_js;
const { readable } = m_______static_read_js;
const { say, secondsOf, when } = m_______static_words_js;
const DAYS = 90;
const EVERY_MS = 60_000;

class Record {
  #at = -EVERY_MS;
  #shown = "";
  #said = make("p", { part: "record", hidden: "" });
  #strip = make("div", { hidden: "" });
  node = make("div", { class: "stack" }, this.#said, this.#strip);

  async stayTrue(client, task, now) {
    const shown = `${task.id} ${task.status} ${task.health} ${task.healthSince}`;
    const due = performance.now() - this.#at >= EVERY_MS || shown !== this.#shown;
    if (!due || client.connection.state !== "live") return;
    [this.#at, this.#shown] = [performance.now(), shown];
    try {
      const record = await client.record(task.id, { days: DAYS });
      if (this.#shown === shown) this.#draw(record, now);
    } catch {
    }
  }

  #draw(record, now) {
    write(this.#said, record.since ? line(record) : say("record.nothing"));
    this.#strip.hidden = !record.series.length;
    const focused = this.#strip.contains(this.#strip.getRootNode().activeElement);
    this.#strip.replaceChildren(...(record.series.length ? strip(record, now) : []));
    if (focused) this.#strip.firstChild?.focus();
  }
}

function strip(record, now) {
  const places = placesOf(record), first = places - record.series.length;
  const drawn = draw("svg", {
    class: "past", part: "strip", role: "img", "aria-label": say("record.label.day"),
    viewBox: "0 0 720 40", preserveAspectRatio: "none",
  }, ...columns(record).map(([state, d]) => draw("path", { class: state, d })));
  const value = make("p", { class: "value" });
  const points = record.series.map(({ from, to, seconds }, at) => ({
    at: secondsOf(from), end: secondsOf(to), seconds, x: (first + at + 0.4) / places,
  }));
  const text = ({ at, end, seconds }) =>
    say("page.past.part", { when: when(at, now()), end: when(end, now()), told: part(seconds) });
  readable(drawn, points, text, (said) => (value.textContent = said));
  return [drawn, value];
}
return { Record };
})();
const m_task_element_js = (() => {
const { Bar, strip } = m_bar_js;
const { askToStop, labelOf, offers } = m_buttons_js;
const { changeOf } = m_client_js;
const { make, mark, write } = m_dom_js;
const { levelOf, linkPlace, TaskdElement } = m_element_js;
const { icon, iconPlace } = m_icons_js;
const { Record } = m_record_js;
const { Speech } = m_speech_js;
const { minute, readable } = m_______static_read_js;
const { view } = m_______static_view_js;
const { say, secondsOf } = m_______static_words_js;
const STRIP_MS = 60_000;
const HOUR_MS = 3_600_000;
const VARIANTS = ["card", "row", "bar", "record"];
const ENDINGS = { complete: "task-complete", error: "task-failed" };

class KaspadTask extends TaskdElement {
  static observedAttributes = [
    ...TaskdElement.observedAttributes,
    "task-id", "service", "variant", "actions", "chart", "heading-level",
  ];
  #parts = null;
  #shape = "";
  #bar = null;
  #record = null;
  #speech = new Speech();
  #stripAt = -STRIP_MS;
  #asked = false;
  #looked = null;

  get task() {
    const tasks = this.client?.tasks;
    const [id, service] = [this.getAttribute("task-id"), this.getAttribute("service")];
    if (id) return tasks?.get(id) ?? null;
    const found = service ? [...(tasks?.values() ?? [])].filter((one) => one.service === service) : [];
    return found.at(-1) ?? null;
  }

  listen(client) {
    const id = this.getAttribute("task-id");
    return [
      client.on(id ? changeOf(id) : "change", (change) => this.#changed(change)),
      client.on("switches", () => this.later()),
      client.on("node-ready", (data) => data.taskId === this.task?.id && this.tell("node-ready", data)),
    ];
  }

  #changed({ id, before, after }) {
    const mine = this.getAttribute("task-id") || (after && id === this.task?.id);
    if (!mine && this.getAttribute("service") !== (after ?? before).service) return;
    this.tell("task-change", { before, after });
    const ending = before && before.status !== after?.status ? ENDINGS[after?.status] : null;
    if (ending) this.tell(ending, { task: after });
    this.later();
  }

  render() {
    const task = this.task;
    this.#build();
    const parts = this.#parts;
    parts.link.show(this.trouble());
    const known = this.client.connection.state !== "connecting";
    write(parts.empty, !task && known ? say("wizard.no-task") : "");
    parts.body.hidden = !task && known;
    parts.head.hidden = !task;
    if (!task) return this.#bar.show([], { label: say("wizard.asking") });
    this.#show(task, view(this.#switching(task), this.now()));
    this.#stayTrue(task);
  }

  #switching(task) {
    const own = [...this.client.switches.values()].filter(
      ({ event, taskId }) => event === "switch:progress" && taskId === task.id,
    );
    if (task.status !== "complete" || !own.length) return task;
    const n = Math.max(task.switches?.length ?? 0, own.length);
    return { ...task, switching: { n, doing: `${own[0].service}: ${own[0].step}` } };
  }

  #build() {
    const variant = VARIANTS.find((one) => one === this.getAttribute("variant")) ?? "card";
    const shape = `${variant} ${levelOf(this)}`;
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#bar = new Bar();
    this.#record = variant === "record" ? new Record() : null;
    this.#parts = skeleton(variant, levelOf(this), this.#bar.node, this.#record?.node);
    this.root.replaceChildren(this.#parts.box, this.#speech.node);
    this.#stripAt = -STRIP_MS;
  }

  #show(task, says) {
    const parts = this.#parts;
    const lost = this.client.connection.state !== "live";
    const tone = lost ? "quiet" : says.tone;
    icon(parts.icon, says.icon, tone);
    write(parts.name, says.name);
    mark(parts.title, "title", says.name.length > 40 ? says.name : null);
    write(parts.state, says.state);
    parts.state.className = `state ${tone}`;
    for (const key of ["kind", "note", "checked"]) write(parts[key], says[key]);
    write(parts.percent, says.percent || (parts.step.isConnected ? "" : says.step));
    write(parts.step, [says.step, says.share].filter(Boolean).join(", "));
    write(parts.eta, lost ? "" : [says.left, says.ready].filter(Boolean).join(", "));
    write(parts.facts, says.facts.join(", "));
    parts.reassure.hidden = says.tone !== "moving" || lost;
    this.#bar.show(says.bar, {
      tone,
      label: say("wizard.progress", { name: says.name }),
      value: says.value,
      text: says.spoken,
      done: task.progressDetail?.done ?? null,
    });
    this.#buttons(task);
    this.#banner(says);
    this.#speech.tell(`${says.name}: ${says.state}`); // times left are not spoken
    this.#chart(task);
    this.#record?.stayTrue(this.client, task, () => this.now());
  }

  #banner({ banner, cures, tone }) {
    const { banner: node, cures: list, buttons } = this.#parts;
    node.className = `banner ${tone}`;
    node.hidden = !banner;
    write(node.firstChild, banner);
    const pressed = [say("page.say.try"), say("page.say.then-try")];
    const retry = buttons.querySelector("[data-action=retry]");
    const told = cures.filter((cure) => retry || !pressed.includes(cure));
    if (list.textContent === told.join("")) return;
    list.replaceChildren(...told.map((cure) => make("li", {}, cure.endsWith(".") ? cure : make("code", {}, cure))));
  }

  #buttons(task) {
    const { canChange, connection } = this.client;
    const live = connection.state === "live";
    const wanted = live ? offers(task, this.getAttribute("actions"), canChange) : [];
    const place = this.#parts.buttons;
    const labels = wanted.map((action) => labelOf(action, task));
    place.hidden = !wanted.length;
    if (place.dataset.labels === labels.join("|")) return;
    place.dataset.labels = labels.join("|");
    const focused = this.root.activeElement?.dataset?.action;
    place.replaceChildren(...wanted.map((action, at) => this.#button(action, labels[at])));
    if (focused) (place.querySelector(`[data-action=${focused}]`) ?? place.firstChild)?.focus();
  }

  #button(action, label) {
    const button = make("button", { type: "button", part: "button", "data-action": action }, label);
    button.addEventListener("click", () => this.#act(action, button));
    return button;
  }

  async #act(action, button) {
    const task = this.task;
    if (!task || this.#asked) return;
    if (action === "cancel" && !(await askToStop(this.root, task))) return button.focus();
    this.#asked = true;
    mark(button, "aria-disabled", "true");
    write(this.#parts.answer, "");
    try {
      this.tell("task-action", { action, result: await this.client[action](task.id) });
    } catch (error) {
      write(this.#parts.answer, say("wizard.failed", { why: error.message }));
      this.tell("task-action", { action, result: null, error });
    }
    this.#asked = false;
    mark(button, "aria-disabled", null);
    this.later();
  }

  #stayTrue(task) {
    const due = secondsOf(task.nextCheck);
    if (this.#looked === task.nextCheck || !due) return;
    if (this.now() < due + 1) return;
    this.#looked = task.nextCheck;
    this.client.refresh(task.id);
  }

  #strip(points, unit) {
    const drawn = strip(points, say("page.strip")), value = make("p", { class: "value" });
    const known = points.map((point, place) => ({
      ...point, at: secondsOf(point.at), x: (place + 0.5) / Math.max(60, points.length),
    }));
    const text = (point) => minute(point, unit, this.now());
    readable(drawn, known, text, (said) => (value.textContent = said));
    return [drawn, value];
  }

  async #chart(task) {
    const now = performance.now();
    const place = this.#parts.strip;
    place.hidden = !this.hasAttribute("chart") || task.status !== "in-progress";
    if (place.hidden || now - this.#stripAt < STRIP_MS || this.client.connection.state !== "live") return;
    this.#stripAt = now;
    const from = new Date(this.client.serverNow() - HOUR_MS + STRIP_MS).toISOString();
    try {
      const { points } = await this.client.history(task.id, { from, points: 60 });
      const moved = points.some((point) => point.rate > 0);
      const focused = place.contains(this.root.activeElement);
      place.replaceChildren(...(moved ? this.#strip(points, task.rateUnit || null) : []));
      if (focused) place.firstChild?.focus();
    } catch {
      place.replaceChildren(); // no history: the card stands without
    }
  }
}

function skeleton(variant, level, bar, record) {
  const parts = { ...nodes(level, bar), record };
  const layouts = { card: cardBox, row: rowBox, bar: barBox, record: recordBox };
  parts.body = layouts[variant](parts);
  parts.box = make("div", { class: variant === "card" || variant === "record" ? "box stack" : "stack" },
    parts.link, parts.empty, parts.body);
  return parts;
}

function nodes(level, bar) {
  const name = make("span");
  const text = (part) => make("span", { part, hidden: "" });
  const cures = make("ul", { class: "cures" });
  const reassure = make("p", { class: "muted", hidden: "" }, say("page.reassure"));
  return {
    bar, name, cures, reassure,
    icon: iconPlace(),
    title: make("div", { class: "name grow", part: "name", role: "heading", "aria-level": level },
      make("slot", { name: "title" }, name)),
    kind: make("p", { class: "muted", hidden: "" }),
    state: make("span", { class: "state", part: "state" }),
    banner: make("div", { class: "banner", part: "banner", hidden: "" }, make("p"), cures),
    step: make("p", { part: "step", hidden: "" }),
    percent: make("span", { class: "number", part: "percent", hidden: "" }),
    eta: text("eta"),
    strip: make("div", { hidden: "" }),
    facts: make("p", { class: "facts", part: "facts", hidden: "" }),
    checked: make("p", { class: "facts", hidden: "" }),
    note: make("p", { hidden: "" }),
    buttons: make("div", { class: "buttons", hidden: "" }),
    answer: make("p", { class: "failure", role: "alert", hidden: "" }),
    link: linkPlace(),
    empty: make("p", { hidden: "" }),
    below: make("slot", { name: "note" }, reassure),
  };
}

function cardBox(parts) {
  parts.head = make("div", { class: "head" }, parts.icon, parts.title, parts.state);
  return make("div", { class: "stack" },
    parts.head, parts.kind, parts.banner, parts.step, parts.bar,
    make("p", { class: "line" }, parts.percent, parts.eta),
    parts.strip, parts.note, parts.facts, parts.checked, parts.below, parts.buttons, parts.answer);
}

function rowBox(parts) {
  parts.head = parts.title;
  const wide = (...children) => make("div", { class: "wide" }, ...children);
  return make("div", { class: "row" },
    parts.icon, parts.title, parts.state,
    wide(parts.bar), wide(make("p", { class: "line facts" }, parts.percent, parts.eta)),
    wide(parts.banner), wide(parts.buttons, parts.answer));
}

function barBox(parts) {
  parts.head = make("p", { class: "line facts" }, parts.percent, parts.eta);
  return make("div", {}, parts.bar, parts.head);
}

function recordBox(parts) {
  parts.head = make("div", { class: "head" }, parts.icon, parts.title, parts.state);
  return make("div", { class: "stack" }, parts.head, parts.record, parts.banner, parts.below);
}
return { KaspadTask };
})();
const m_tasks_element_js = (() => {
const { make, mark, write } = m_dom_js;
const { linkPlace, TaskdElement } = m_element_js;
const { live, waiting } = m_tasks_js;
const { kept, troubled } = m_______static_view_js;
const { say } = m_______static_words_js;
const FILTERS = {
  attention: troubled,
  running: (task) => task.status === "in-progress",
  waiting,
  live,
  watched: kept,
  ended: (task) => !live(task) && !kept(task),
};
const HANDED_DOWN = ["actions", "chart", "heading-level", "lang"];
const LIMIT = 50;

class KaspadTasks extends TaskdElement {
  static observedAttributes = [
    ...TaskdElement.observedAttributes, ...HANDED_DOWN, "type", "filter", "limit", "variant",
  ];
  #parts = null;
  #shown = new Map();
  #handed = "";

  listen(client) {
    const lineChanged = ({ state, since }) => this.tell("connection", { state, since });
    return [client.on("change", () => this.later()), client.on("connection", lineChanged)];
  }

  render() {
    this.#parts ??= this.#build();
    this.#parts.link.show(this.trouble());
    const wanted = this.#wanted();
    const limit = Number(this.getAttribute("limit")) || LIMIT;
    const known = this.client.connection.state !== "connecting";
    this.#parts.empty.hidden = wanted.length > 0 || !known;
    this.#fill(wanted.slice(0, limit));
    const more = wanted.length - limit;
    write(this.#parts.more, more > 0 ? say("wizard.more", { n: more }) : "");
  }

  #build() {
    const parts = {
      link: linkPlace(),
      list: make("ul", { class: "rows" }),
      empty: make("div", { hidden: "" }, make("slot", { name: "empty" }, say("wizard.none"))),
      more: make("p", { class: "muted", hidden: "" }),
    };
    this.root.replaceChildren(
      make("div", { class: "stack" }, parts.link, parts.empty, parts.list, parts.more),
    );
    return parts;
  }

  #wanted() {
    const type = this.getAttribute("type");
    const filter = this.getAttribute("filter") ?? "";
    const words = FILTERS[filter] ? "" : filter.toLowerCase();
    const fits = (task) => (!type || task.type === type)
      && (FILTERS[filter]?.(task) ?? `${task.service} ${task.type}`.toLowerCase().includes(words));
    const tasks = [...this.client.tasks.values()].filter(fits);
    return [...tasks.filter(troubled), ...tasks.filter((task) => !troubled(task))];
  }

  #fill(tasks) {
    const ids = new Set(tasks.map((task) => task.id));
    for (const [id, row] of this.#shown) {
      if (ids.has(id)) continue;
      row.remove();
      this.#shown.delete(id);
    }
    const hand = HANDED_DOWN.map((key) => this.getAttribute(key));
    const handed = JSON.stringify([...hand, this.getAttribute("variant")]);
    let before = null;
    for (const { id } of tasks) {
      const known = this.#shown.get(id), row = known ?? this.#row(id);
      const place = before ? before.nextSibling : this.#parts.list.firstChild;
      if (row !== place) this.#parts.list.insertBefore(row, place);
      if (!known || handed !== this.#handed) this.#handDown(row.firstChild);
      if (row.firstChild.client !== this.client) row.firstChild.client = this.client;
      before = row;
    }
    this.#handed = handed;
  }

  #row(id) {
    const task = make("kaspad-task", { "task-id": id, variant: "row", exportparts: PARTS });
    task.client = this.client;
    const row = make("li", {}, task);
    this.#shown.set(id, row);
    return row;
  }

  #handDown(task) {
    for (const key of HANDED_DOWN) mark(task, key, this.getAttribute(key));
    mark(task, "variant", this.getAttribute("variant") ?? "row");
  }
}

const PARTS = "name, state, banner, bar, percent, eta, step, strip, facts, button";
return { KaspadTasks };
})();
const { KaspadFleet, KaspadHost, KaspadResume, KaspadStrategy, KaspadTask, KaspadTasks, TaskdClient, TaskdError, view } = (() => {
const { view } = m_______static_view_js;
const { TaskdClient } = m_client_js;
const { TaskdError } = m_errors_js;
const { KaspadFleet } = m_fleet_element_js;
const { KaspadHost } = m_host_element_js;
const { KaspadResume } = m_resume_element_js;
const { KaspadStrategy } = m_strategy_element_js;
const { KaspadTask } = m_task_element_js;
const { KaspadTasks } = m_tasks_element_js;
const ELEMENTS = {
  "kaspad-task": KaspadTask,
  "kaspad-tasks": KaspadTasks,
  "kaspad-strategy": KaspadStrategy,
  "kaspad-resume": KaspadResume,
  "kaspad-host": KaspadHost,
  "kaspad-fleet": KaspadFleet,
};

if (globalThis.customElements) {
  for (const [tag, element] of Object.entries(ELEMENTS)) {
    if (!customElements.get(tag)) customElements.define(tag, element);
  }
}
return { KaspadFleet, KaspadHost, KaspadResume, KaspadStrategy, KaspadTask, KaspadTasks, TaskdClient, TaskdError, view };
})();
export { KaspadFleet, KaspadHost, KaspadResume, KaspadStrategy, KaspadTask, KaspadTasks, TaskdClient, TaskdError, view };
