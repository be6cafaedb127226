namespace TrackMate.Manage;

/// <summary>The space on the data folder's disk at the last measurement. The host measures once a second.</summary>
/// <param name="FreeBytes">Free bytes. Null with PostgreSQL, since the disk is the database server's, and if the operating system does not report it.</param>
/// <param name="ReserveBytes">Below this browsers get 503. Anyone can send as a browser, and a full disk would stop back ends and erasures too.</param>
internal sealed record DiskRoom(long? FreeBytes, long ReserveBytes)
{
    public bool IsBelowReserve => FreeBytes < ReserveBytes;
}

/// <summary>The latest <see cref="DiskRoom"/>, for the receiving calls and the dashboard.</summary>
internal sealed class DiskSpace
{
    private volatile DiskRoom room = new(null, 0);

    public DiskRoom Room
    {
        get => room;
        set => room = value;
    }
}
