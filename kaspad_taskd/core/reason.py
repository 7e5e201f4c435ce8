"""The closed lists of reasons: why a health, an error, a missing time left is as it is.

A reason is a word for programs; the sentence that people read for it is in `words`. Values may be
added in later versions, none changes its meaning.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a task is not simply "ok", or why it failed."""

    REFUSED = "refused"  # nothing listens there
    TIMEOUT = "timeout"  # no answer within the deadline
    STREAM_CLOSED = "stream-closed"  # it ended the connection instead of answering
    BUSY = "busy"  # it takes no further client
    STOPPING = "stopping"  # it says that it is going down
    NAME_UNKNOWN = "name-unknown"  # the host's name does not resolve
    NETWORK_DOWN = "network-down"  # no route, reset, network unreachable
    BAD_ANSWER = "bad-answer"  # an answer that is none: garbage, wrong shape, too large
    NOT_READY = "not-ready"  # it answers that it is starting (503, "warming up")
    FORBIDDEN = "forbidden"  # an address that this task may not ask
    OWN_LIMIT = "own-limit"  # kaspad-taskd itself may open no more files
    CHECKER_FAULT = "checker-fault"  # our own checker failed; the log has the incident
    LIBRARY_MISSING = "library-missing"  # a library could not be imported
    WRONG_NETWORK = "wrong-network"
    WRONG_PROGRAM = "wrong-program"  # something else answers there
    CREDENTIALS = "credentials"
    CHECKER_ERROR = "checker-error"  # the watched work says that it failed
    GAVE_UP = "gave-up"  # no movement for `give_up_after`
    BY_REQUEST = "by-request"  # errorTask
    NO_MOVEMENT = "no-movement"
    MOVEMENT_UNSEEN = "movement-unseen"  # nothing that it tells could show a standstill
    NO_PEERS = "no-peers"
    PEER_SILENT = "peer-silent"
    NETWORK_STANDS_STILL = "network-stands-still"
    NODE_NOT_SYNCED = "node-not-synced"
    NODE_LOST = "node-lost"  # the node that it lives on cannot be reached
    DATABASE_LOST = "database-lost"  # the database that it lives on cannot be reached
    DB_PROMPT = "db-prompt"
    NODE_LOCKED = "node-locked"  # another kaspad uses its data directory
    FILE_LIMIT = "file-limit"  # it may open too few files
    NODE_PANICKED = "node-panicked"
    IBD_ERRORS = "ibd-errors"
    DISK_FULL = "disk-full"
    CLOCK_SKEW = "clock-skew"
    CRASH_LOOP = "crash-loop"  # it ends and is started anew, again and again
    CUT_OFF = "cut-off"  # its peers are connected, and nothing comes from any
    LOCK_WAIT = "lock-wait"
    SILENT_REPORT = "silent-report"
    RUN_LOST = "run-lost"  # the process that reported has ended without a word


class EtaReason(StrEnum):
    """Why a task has no time left to show."""

    NOT_RUNNING = "not-running"  # pending, paused or ended
    NO_ANSWER = "no-answer"  # nothing was read yet, or the service does not answer now
    NO_TOTAL = "no-total"  # the total of this phase is not known
    WARMING_UP = "warming-up"  # the speed has to be steady, or watched for 45 s, first
    NOT_CATCHING_UP = "not-catching-up"  # slower than the target moves
    STALLED = "stalled"
    CONFIRMING = "confirming"  # done but for its confirmations
