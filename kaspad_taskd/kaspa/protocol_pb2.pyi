from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BandwidthMetrics(_message.Message):
    __slots__ = ["grpcP2pBytesRx", "grpcP2pBytesTx"]
    GRPCP2PBYTESRX_FIELD_NUMBER: _ClassVar[int]
    GRPCP2PBYTESTX_FIELD_NUMBER: _ClassVar[int]
    grpcP2pBytesRx: int
    grpcP2pBytesTx: int
    def __init__(self, grpcP2pBytesTx: _Optional[int] = ..., grpcP2pBytesRx: _Optional[int] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ["header"]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    header: BlockHeader
    def __init__(self, header: _Optional[_Union[BlockHeader, _Mapping]] = ...) -> None: ...

class BlockHeader(_message.Message):
    __slots__ = ["blueScore", "daaScore", "hash", "timestamp"]
    BLUESCORE_FIELD_NUMBER: _ClassVar[int]
    DAASCORE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    blueScore: int
    daaScore: int
    hash: str
    timestamp: int
    def __init__(self, timestamp: _Optional[int] = ..., daaScore: _Optional[int] = ..., blueScore: _Optional[int] = ..., hash: _Optional[str] = ...) -> None: ...

class ConnectedPeer(_message.Message):
    __slots__ = ["address", "advertisedProtocolVersion", "id", "isIbdPeer", "isOutbound", "lastPingDuration", "timeConnected", "timeOffset", "userAgent"]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ADVERTISEDPROTOCOLVERSION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ISIBDPEER_FIELD_NUMBER: _ClassVar[int]
    ISOUTBOUND_FIELD_NUMBER: _ClassVar[int]
    LASTPINGDURATION_FIELD_NUMBER: _ClassVar[int]
    TIMECONNECTED_FIELD_NUMBER: _ClassVar[int]
    TIMEOFFSET_FIELD_NUMBER: _ClassVar[int]
    USERAGENT_FIELD_NUMBER: _ClassVar[int]
    address: str
    advertisedProtocolVersion: int
    id: str
    isIbdPeer: bool
    isOutbound: bool
    lastPingDuration: int
    timeConnected: int
    timeOffset: int
    userAgent: str
    def __init__(self, id: _Optional[str] = ..., address: _Optional[str] = ..., lastPingDuration: _Optional[int] = ..., isOutbound: bool = ..., timeOffset: _Optional[int] = ..., userAgent: _Optional[str] = ..., advertisedProtocolVersion: _Optional[int] = ..., timeConnected: _Optional[int] = ..., isIbdPeer: bool = ...) -> None: ...

class ConsensusMetrics(_message.Message):
    __slots__ = ["blocksSubmitted", "bodyCounts", "chainBlockCounts", "depCounts", "headerCounts", "txsCounts"]
    BLOCKSSUBMITTED_FIELD_NUMBER: _ClassVar[int]
    BODYCOUNTS_FIELD_NUMBER: _ClassVar[int]
    CHAINBLOCKCOUNTS_FIELD_NUMBER: _ClassVar[int]
    DEPCOUNTS_FIELD_NUMBER: _ClassVar[int]
    HEADERCOUNTS_FIELD_NUMBER: _ClassVar[int]
    TXSCOUNTS_FIELD_NUMBER: _ClassVar[int]
    blocksSubmitted: int
    bodyCounts: int
    chainBlockCounts: int
    depCounts: int
    headerCounts: int
    txsCounts: int
    def __init__(self, blocksSubmitted: _Optional[int] = ..., headerCounts: _Optional[int] = ..., depCounts: _Optional[int] = ..., bodyCounts: _Optional[int] = ..., txsCounts: _Optional[int] = ..., chainBlockCounts: _Optional[int] = ...) -> None: ...

class GetBlockDagInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetBlockDagInfoResponse(_message.Message):
    __slots__ = ["blockCount", "difficulty", "error", "headerCount", "networkName", "pastMedianTime", "pruningPointHash", "sink", "tipHashes", "virtualDaaScore"]
    BLOCKCOUNT_FIELD_NUMBER: _ClassVar[int]
    DIFFICULTY_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HEADERCOUNT_FIELD_NUMBER: _ClassVar[int]
    NETWORKNAME_FIELD_NUMBER: _ClassVar[int]
    PASTMEDIANTIME_FIELD_NUMBER: _ClassVar[int]
    PRUNINGPOINTHASH_FIELD_NUMBER: _ClassVar[int]
    SINK_FIELD_NUMBER: _ClassVar[int]
    TIPHASHES_FIELD_NUMBER: _ClassVar[int]
    VIRTUALDAASCORE_FIELD_NUMBER: _ClassVar[int]
    blockCount: int
    difficulty: float
    error: RPCError
    headerCount: int
    networkName: str
    pastMedianTime: int
    pruningPointHash: str
    sink: str
    tipHashes: _containers.RepeatedScalarFieldContainer[str]
    virtualDaaScore: int
    def __init__(self, networkName: _Optional[str] = ..., blockCount: _Optional[int] = ..., headerCount: _Optional[int] = ..., tipHashes: _Optional[_Iterable[str]] = ..., difficulty: _Optional[float] = ..., pastMedianTime: _Optional[int] = ..., pruningPointHash: _Optional[str] = ..., virtualDaaScore: _Optional[int] = ..., sink: _Optional[str] = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetBlockRequest(_message.Message):
    __slots__ = ["hash", "includeTransactions"]
    HASH_FIELD_NUMBER: _ClassVar[int]
    INCLUDETRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    hash: str
    includeTransactions: bool
    def __init__(self, hash: _Optional[str] = ..., includeTransactions: bool = ...) -> None: ...

class GetBlockResponse(_message.Message):
    __slots__ = ["block", "error"]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    block: Block
    error: RPCError
    def __init__(self, block: _Optional[_Union[Block, _Mapping]] = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetConnectedPeerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetConnectedPeerInfoResponse(_message.Message):
    __slots__ = ["error", "infos"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    INFOS_FIELD_NUMBER: _ClassVar[int]
    error: RPCError
    infos: _containers.RepeatedCompositeFieldContainer[ConnectedPeer]
    def __init__(self, infos: _Optional[_Iterable[_Union[ConnectedPeer, _Mapping]]] = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetInfoResponse(_message.Message):
    __slots__ = ["error", "hasMessageId", "hasNotifyCommand", "isSynced", "isUtxoIndexed", "mempoolSize", "p2pId", "serverVersion"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HASMESSAGEID_FIELD_NUMBER: _ClassVar[int]
    HASNOTIFYCOMMAND_FIELD_NUMBER: _ClassVar[int]
    ISSYNCED_FIELD_NUMBER: _ClassVar[int]
    ISUTXOINDEXED_FIELD_NUMBER: _ClassVar[int]
    MEMPOOLSIZE_FIELD_NUMBER: _ClassVar[int]
    P2PID_FIELD_NUMBER: _ClassVar[int]
    SERVERVERSION_FIELD_NUMBER: _ClassVar[int]
    error: RPCError
    hasMessageId: bool
    hasNotifyCommand: bool
    isSynced: bool
    isUtxoIndexed: bool
    mempoolSize: int
    p2pId: str
    serverVersion: str
    def __init__(self, p2pId: _Optional[str] = ..., mempoolSize: _Optional[int] = ..., serverVersion: _Optional[str] = ..., isUtxoIndexed: bool = ..., isSynced: bool = ..., hasNotifyCommand: bool = ..., hasMessageId: bool = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetMetricsRequest(_message.Message):
    __slots__ = ["bandwidthMetrics", "connectionMetrics", "consensusMetrics", "customMetrics", "processMetrics", "storageMetrics"]
    BANDWIDTHMETRICS_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONMETRICS_FIELD_NUMBER: _ClassVar[int]
    CONSENSUSMETRICS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMMETRICS_FIELD_NUMBER: _ClassVar[int]
    PROCESSMETRICS_FIELD_NUMBER: _ClassVar[int]
    STORAGEMETRICS_FIELD_NUMBER: _ClassVar[int]
    bandwidthMetrics: bool
    connectionMetrics: bool
    consensusMetrics: bool
    customMetrics: bool
    processMetrics: bool
    storageMetrics: bool
    def __init__(self, processMetrics: bool = ..., connectionMetrics: bool = ..., bandwidthMetrics: bool = ..., consensusMetrics: bool = ..., storageMetrics: bool = ..., customMetrics: bool = ...) -> None: ...

class GetMetricsResponse(_message.Message):
    __slots__ = ["bandwidthMetrics", "consensusMetrics", "error", "processMetrics", "serverTime"]
    BANDWIDTHMETRICS_FIELD_NUMBER: _ClassVar[int]
    CONSENSUSMETRICS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PROCESSMETRICS_FIELD_NUMBER: _ClassVar[int]
    SERVERTIME_FIELD_NUMBER: _ClassVar[int]
    bandwidthMetrics: BandwidthMetrics
    consensusMetrics: ConsensusMetrics
    error: RPCError
    processMetrics: ProcessMetrics
    serverTime: int
    def __init__(self, serverTime: _Optional[int] = ..., processMetrics: _Optional[_Union[ProcessMetrics, _Mapping]] = ..., bandwidthMetrics: _Optional[_Union[BandwidthMetrics, _Mapping]] = ..., consensusMetrics: _Optional[_Union[ConsensusMetrics, _Mapping]] = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ["error", "hasUtxoIndex", "isSynced", "networkId", "rpcApiRevision", "rpcApiVersion", "serverVersion", "virtualDaaScore"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HASUTXOINDEX_FIELD_NUMBER: _ClassVar[int]
    ISSYNCED_FIELD_NUMBER: _ClassVar[int]
    NETWORKID_FIELD_NUMBER: _ClassVar[int]
    RPCAPIREVISION_FIELD_NUMBER: _ClassVar[int]
    RPCAPIVERSION_FIELD_NUMBER: _ClassVar[int]
    SERVERVERSION_FIELD_NUMBER: _ClassVar[int]
    VIRTUALDAASCORE_FIELD_NUMBER: _ClassVar[int]
    error: RPCError
    hasUtxoIndex: bool
    isSynced: bool
    networkId: str
    rpcApiRevision: int
    rpcApiVersion: int
    serverVersion: str
    virtualDaaScore: int
    def __init__(self, rpcApiVersion: _Optional[int] = ..., rpcApiRevision: _Optional[int] = ..., serverVersion: _Optional[str] = ..., networkId: _Optional[str] = ..., hasUtxoIndex: bool = ..., isSynced: bool = ..., virtualDaaScore: _Optional[int] = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetSyncStatusRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetSyncStatusResponse(_message.Message):
    __slots__ = ["error", "isSynced"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ISSYNCED_FIELD_NUMBER: _ClassVar[int]
    error: RPCError
    isSynced: bool
    def __init__(self, isSynced: bool = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class GetSystemInfoRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetSystemInfoResponse(_message.Message):
    __slots__ = ["error", "systemId", "version"]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SYSTEMID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    error: RPCError
    systemId: str
    version: str
    def __init__(self, version: _Optional[str] = ..., systemId: _Optional[str] = ..., error: _Optional[_Union[RPCError, _Mapping]] = ...) -> None: ...

class KaspadRequest(_message.Message):
    __slots__ = ["getBlockDagInfoRequest", "getBlockRequest", "getConnectedPeerInfoRequest", "getInfoRequest", "getMetricsRequest", "getServerInfoRequest", "getSyncStatusRequest", "getSystemInfoRequest", "id"]
    GETBLOCKDAGINFOREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETBLOCKREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETCONNECTEDPEERINFOREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETINFOREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETMETRICSREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETSERVERINFOREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETSYNCSTATUSREQUEST_FIELD_NUMBER: _ClassVar[int]
    GETSYSTEMINFOREQUEST_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    getBlockDagInfoRequest: GetBlockDagInfoRequest
    getBlockRequest: GetBlockRequest
    getConnectedPeerInfoRequest: GetConnectedPeerInfoRequest
    getInfoRequest: GetInfoRequest
    getMetricsRequest: GetMetricsRequest
    getServerInfoRequest: GetServerInfoRequest
    getSyncStatusRequest: GetSyncStatusRequest
    getSystemInfoRequest: GetSystemInfoRequest
    id: int
    def __init__(self, id: _Optional[int] = ..., getConnectedPeerInfoRequest: _Optional[_Union[GetConnectedPeerInfoRequest, _Mapping]] = ..., getBlockRequest: _Optional[_Union[GetBlockRequest, _Mapping]] = ..., getBlockDagInfoRequest: _Optional[_Union[GetBlockDagInfoRequest, _Mapping]] = ..., getInfoRequest: _Optional[_Union[GetInfoRequest, _Mapping]] = ..., getMetricsRequest: _Optional[_Union[GetMetricsRequest, _Mapping]] = ..., getServerInfoRequest: _Optional[_Union[GetServerInfoRequest, _Mapping]] = ..., getSyncStatusRequest: _Optional[_Union[GetSyncStatusRequest, _Mapping]] = ..., getSystemInfoRequest: _Optional[_Union[GetSystemInfoRequest, _Mapping]] = ...) -> None: ...

class KaspadResponse(_message.Message):
    __slots__ = ["getBlockDagInfoResponse", "getBlockResponse", "getConnectedPeerInfoResponse", "getInfoResponse", "getMetricsResponse", "getServerInfoResponse", "getSyncStatusResponse", "getSystemInfoResponse", "id"]
    GETBLOCKDAGINFORESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETBLOCKRESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETCONNECTEDPEERINFORESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETINFORESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETMETRICSRESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETSERVERINFORESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETSYNCSTATUSRESPONSE_FIELD_NUMBER: _ClassVar[int]
    GETSYSTEMINFORESPONSE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    getBlockDagInfoResponse: GetBlockDagInfoResponse
    getBlockResponse: GetBlockResponse
    getConnectedPeerInfoResponse: GetConnectedPeerInfoResponse
    getInfoResponse: GetInfoResponse
    getMetricsResponse: GetMetricsResponse
    getServerInfoResponse: GetServerInfoResponse
    getSyncStatusResponse: GetSyncStatusResponse
    getSystemInfoResponse: GetSystemInfoResponse
    id: int
    def __init__(self, id: _Optional[int] = ..., getConnectedPeerInfoResponse: _Optional[_Union[GetConnectedPeerInfoResponse, _Mapping]] = ..., getBlockResponse: _Optional[_Union[GetBlockResponse, _Mapping]] = ..., getBlockDagInfoResponse: _Optional[_Union[GetBlockDagInfoResponse, _Mapping]] = ..., getInfoResponse: _Optional[_Union[GetInfoResponse, _Mapping]] = ..., getMetricsResponse: _Optional[_Union[GetMetricsResponse, _Mapping]] = ..., getServerInfoResponse: _Optional[_Union[GetServerInfoResponse, _Mapping]] = ..., getSyncStatusResponse: _Optional[_Union[GetSyncStatusResponse, _Mapping]] = ..., getSystemInfoResponse: _Optional[_Union[GetSystemInfoResponse, _Mapping]] = ...) -> None: ...

class ProcessMetrics(_message.Message):
    __slots__ = ["diskIoReadBytes", "diskIoWriteBytes", "residentSetSize"]
    DISKIOREADBYTES_FIELD_NUMBER: _ClassVar[int]
    DISKIOWRITEBYTES_FIELD_NUMBER: _ClassVar[int]
    RESIDENTSETSIZE_FIELD_NUMBER: _ClassVar[int]
    diskIoReadBytes: int
    diskIoWriteBytes: int
    residentSetSize: int
    def __init__(self, residentSetSize: _Optional[int] = ..., diskIoReadBytes: _Optional[int] = ..., diskIoWriteBytes: _Optional[int] = ...) -> None: ...

class RPCError(_message.Message):
    __slots__ = ["message"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    def __init__(self, message: _Optional[str] = ...) -> None: ...
