namespace TrackMate.Tests.Running;

/// <summary>A folder of a test's own. It goes with the test, and so do the schemas that stand for data folders in it on PostgreSQL.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("trackmate-test-").FullName;

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        StoreUnderTest.Drop(Path);
    }
}
