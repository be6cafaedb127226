namespace TrackMate.Http;

/// <summary>Limits of what open connections may use, so that slow clients cannot fill the memory. Normal sites never reach them.</summary>
/// <param name="Connections">Open connections in all.</param>
/// <param name="ConnectionsPerAddress">Open connections of one address; null for no limit.</param>
/// <param name="HeldBytes">Bytes of large bodies and answers in memory, in all.</param>
/// <param name="HeldBytesPerAddress">The same for one address; null for no limit.</param>
/// <param name="BodyTime">The total time in which a body must arrive.</param>
internal sealed record EdgeLimits(int Connections, int? ConnectionsPerAddress, long HeldBytes, long? HeldBytesPerAddress, TimeSpan BodyTime)
{
    /// <summary>Smaller bodies and answers are not counted: the limit of connections bounds them.</summary>
    public const int LargeBytes = 16 * 1024;

    /// <summary>The read buffer of a connection, whether or not anybody reads from it. Kestrel needs as much for the headers.</summary>
    public const int ReadAheadBytes = 32 * 1024;

    /// <summary>The time in which a request's headers must arrive.</summary>
    public static readonly TimeSpan HeaderTime = TimeSpan.FromSeconds(15);

    public static readonly EdgeLimits Default = new(2000, 500, 32L << 20, 16L << 20, TimeSpan.FromSeconds(30));
}
