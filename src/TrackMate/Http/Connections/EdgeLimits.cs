namespace TrackMate.Http;

/// <summary>What connections may hold at the same time, so that nobody fills the memory by being slow. An honest site meets none of these bounds.</summary>
/// <param name="Connections">Open connections in all.</param>
/// <param name="ConnectionsPerAddress">Of one address; null for no bound.</param>
/// <param name="HeldBytes">Bytes of large bodies and answers in memory, in all.</param>
/// <param name="HeldBytesPerAddress">Of one address; null for no bound.</param>
/// <param name="BodyTime">How long a body may take to arrive, as a whole.</param>
internal sealed record EdgeLimits(int Connections, int? ConnectionsPerAddress, long HeldBytes, long? HeldBytesPerAddress, TimeSpan BodyTime)
{
    /// <summary>Smaller bodies and answers are not counted: the bound of connections bounds them.</summary>
    public const int LargeBytes = 16 * 1024;

    /// <summary>What the transport reads ahead of a connection, whoever reads it or nobody; Kestrel needs as much for the headers.</summary>
    public const int ReadAheadBytes = 32 * 1024;

    /// <summary>How long a request's headers may take to arrive.</summary>
    public static readonly TimeSpan HeaderTime = TimeSpan.FromSeconds(15);

    public static readonly EdgeLimits Default = new(2000, 500, 32L << 20, 16L << 20, TimeSpan.FromSeconds(30));
}
