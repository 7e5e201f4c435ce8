module example/taskd

go 1.19
