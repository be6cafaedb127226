namespace TrackMate.Manage;

/// <summary>How much room the disk of the data folder had when it was last looked at; the host looks once a second.</summary>
/// <param name="FreeBytes">Free bytes; null over PostgreSQL, whose disk is the database server's, and where the system does not say.</param>
/// <param name="ReserveBytes">Below this browsers get 503: anybody can send as a browser, and a full disk would stop back ends and erasures too.</param>
internal sealed record DiskRoom(long? FreeBytes, long ReserveBytes)
{
    public bool IsBelowReserve => FreeBytes < ReserveBytes;
}

/// <summary>The latest <see cref="DiskRoom"/>, for those who take messages and those who show it.</summary>
internal sealed class DiskSpace
{
    private volatile DiskRoom room = new(null, 0);

    public DiskRoom Room
    {
        get => room;
        set => room = value;
    }
}
